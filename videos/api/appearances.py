"""How the API shows who is in a scene, and who appears in a video."""

from typing import Any

from rest_framework import serializers


class AppearanceSerializer(serializers.Serializer[Any]):
    """A person in a scene."""

    person_id = serializers.UUIDField()
    name = serializers.CharField()
    probability = serializers.FloatField(help_text="0 to 1; 1 where you have said so.")
    first_s = serializers.FloatField(help_text="Of the first picture that shows the face, from the video's start.")
    last_s = serializers.FloatField(help_text="Of the last picture that shows it.")


class CastMemberSerializer(serializers.Serializer[Any]):
    """A person who appears in a video."""

    person_id = serializers.UUIDField()
    name = serializers.CharField()
    scenes = serializers.IntegerField(help_text="How many scenes the person is in.")
    ranges = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        help_text="Start and end of each stretch of scenes with the person, in seconds.",
    )
