"""Serialize the hits of a search."""

from typing import Any

from rest_framework import serializers

from videos.api.serializers import AppearanceSerializer
from videos.search.modes import KIND_CHOICES
from videos.search.moments import MAX_MOMENTS


class MatchSerializer(serializers.Serializer[Any]):
    """A channel that found the scene."""

    channel = serializers.CharField(
        help_text="lexical (words of speech or the title), shown_words (words of the description or tags), on_screen (words in the image), "
        "person, example, or an embedding channel."
    )
    rank = serializers.IntegerField()
    score = serializers.FloatField()
    highlight = serializers.CharField(help_text="HTML: escaped text with <mark> around matching words, and … where text is omitted.")
    certainty = serializers.FloatField(required=False, help_text="How certain the match is, on one scale for all channels. With `explain`.")
    evidence = serializers.FloatField(required=False, help_text="What the scene's score is computed from. With `explain`.")


class NextSceneSerializer(serializers.Serializer[Any]):
    """The scene that follows, in an answer to a query with `then:`."""

    id = serializers.UUIDField()
    start_s = serializers.FloatField()
    end_s = serializers.FloatField()


class MomentSerializer(serializers.Serializer[Any]):
    """A moment inside a scene at which it answers the query."""

    time_s = serializers.FloatField(help_text="From the start of the video: when the first of the words is said, or of the image.")
    kind = serializers.ChoiceField(KIND_CHOICES, help_text="The kind of evidence.")
    text = serializers.CharField(
        help_text="The words, or the person's name, as plain text. Empty where the scene matches by its meaning or its image."
    )


class PassageSerializer(serializers.Serializer[Any]):
    """Neighboring scenes that answer the query together."""

    start_s = serializers.FloatField()
    end_s = serializers.FloatField()
    scene_ids = serializers.ListField(child=serializers.UUIDField(), help_text="In order of time, the result's own scene included.")


class HitSerializer(serializers.Serializer[Any]):
    """A scene of the answer."""

    scene_id = serializers.UUIDField()
    video_id = serializers.UUIDField()
    title = serializers.CharField()
    start_s = serializers.FloatField()
    end_s = serializers.FloatField()
    play_from_s = serializers.FloatField(help_text="Where a player should start: the best moment, or else the start of the scene.")
    moments = MomentSerializer(many=True, help_text=f"At most {MAX_MOMENTS}, in order of time.")
    passage = PassageSerializer(allow_null=True, help_text="The scene and its neighbors, if neighbors answer the query too.")
    score = serializers.FloatField()
    probability = serializers.FloatField(help_text="That the scene answers the query, as measured on judged queries.")
    strength = serializers.ChoiceField(["strong", "likely", "weak"], allow_null=True, help_text="The probability in a word.")
    transcript = serializers.CharField()
    description = serializers.CharField()
    on_screen_text = serializers.CharField()
    matches = MatchSerializer(many=True)
    next_scene = NextSceneSerializer(allow_null=True)
    people = AppearanceSerializer(many=True)
    thumbnail_url = serializers.CharField()
    preview_url = serializers.CharField()
