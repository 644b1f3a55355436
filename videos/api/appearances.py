"""Serialize the people in scenes and videos."""

from typing import Any

from rest_framework import serializers


class AppearanceSerializer(serializers.Serializer[Any]):
    """A person in a scene."""

    person_id = serializers.UUIDField()
    name = serializers.CharField()
    probability = serializers.FloatField(help_text="0 to 1; 1 if you named this face.")
    first_s = serializers.FloatField(help_text="Time of the first image with the face, in seconds from the start of the video.")
    last_s = serializers.FloatField(help_text="Time of the last image with the face, in seconds from the start of the video.")


class VideoPersonSerializer(serializers.Serializer[Any]):
    """A person who appears in a video."""

    person_id = serializers.UUIDField()
    name = serializers.CharField()
    scenes = serializers.IntegerField(help_text="The number of scenes with the person.")
    ranges = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        help_text="Start and end of each range of consecutive scenes with the person, in seconds.",
    )
