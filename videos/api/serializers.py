"""Serialize videos, scenes and uploads."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from heimdex.outages.classify import OutageKind
from heimdex.storage import sign_url
from videos.models import Job, Scene, Video, VideoMetadata
from videos.models.video import DESCRIPTION_MAX_LENGTH
from videos.registry import get_people_search
from videos.status import VideoStatus
from videos.video_people import list_video_people


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


class JobSerializer(serializers.ModelSerializer[Job]):
    """A stage of a video's ingest."""

    duration_s = serializers.FloatField(allow_null=True, help_text="Of the last or the running attempt; null before the first.")

    class Meta:
        model = Job
        fields = ("stage", "state", "progress", "attempts", "error", "started_at", "finished_at", "duration_s")


class VideoStatusSerializer(serializers.Serializer[VideoStatus]):
    """The status of a video."""

    video_id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=Video.State.choices)
    stage = serializers.CharField(help_text="The running or next stage; empty unless the video is being processed.")
    progress = serializers.IntegerField(help_text="0 to 100.")
    error = serializers.CharField()
    error_code = serializers.CharField()
    waits_for = serializers.ChoiceField(
        choices=OutageKind.choices, allow_null=True, default=None, source="wait.kind", help_text="The part whose outage stops the ingest."
    )
    wait_label = serializers.CharField(allow_null=True, default=None, source="wait.label", help_text="What it waits for, in a few words.")
    wait_text = serializers.CharField(allow_null=True, default=None, source="wait.text", help_text="What it waits for, as a sentence.")
    tries_at = serializers.DateTimeField(
        allow_null=True, default=None, source="wait.tries_at", help_text="When the server tries again; null when it does so in a moment."
    )
    notices = serializers.ListField(child=serializers.CharField(), help_text="What could not be decoded or transcribed.")
    stages = JobSerializer(many=True)
    updated_at = serializers.DateTimeField()


class VideoMetadataSerializer(serializers.ModelSerializer[VideoMetadata]):
    """The measured properties of the file."""

    class Meta:
        model = VideoMetadata
        exclude = ("video", "owner", "has_timeline")


class ImageSerializer(serializers.Serializer[Any]):
    """A keyframe of a scene, at most 1,280 pixels wide and high."""

    time_s = serializers.FloatField(allow_null=True, help_text="Seconds from the start of the video.")
    url = serializers.CharField(help_text="Signed URL. It expires.")


class SceneSerializer(serializers.ModelSerializer[Scene]):
    """A scene and its texts."""

    pictures = serializers.SerializerMethodField()
    people = serializers.SerializerMethodField()
    thumbnail_url = serializers.SerializerMethodField()
    transcript_version = serializers.CharField(read_only=True, help_text="Send it as `If-Match` when you edit the transcript.")

    class Meta:
        model = Scene
        fields = (
            "id",
            "index",
            "start_s",
            "end_s",
            "transcript",
            "transcript_version",
            "transcript_edited_at",
            "description",
            "tags",
            "on_screen_text",
            "people",
            "thumbnail_url",
            "pictures",
        )

    @extend_schema_field(ImageSerializer(many=True))
    def get_pictures(self, scene: Scene) -> list[dict[str, Any]]:
        """Return the keyframes of a scene, at most three, the main keyframe first."""
        times = [scene.keyframe_time_s, *scene.other_keyframes_s] if scene.has_keyframe else []
        # Without thumbnails: signing a URL takes a millisecond with S3, and a film has a thousand scenes.
        return [{"time_s": time_s, "url": sign_url(key)} for time_s, (key, _) in zip(times, scene.image_keys, strict=True)]

    @extend_schema_field(AppearanceSerializer(many=True))
    def get_people(self, scene: Scene) -> Any:
        """Return the people in the scene, the most probable first."""
        people = self.context.get("people")
        if people is None:
            # A scene that is serialized alone.
            people = get_people_search().list_appearances(scene.owner_id, [scene.pk])
        return AppearanceSerializer(people.get(scene.pk, ()), many=True).data

    def get_thumbnail_url(self, scene: Scene) -> str:
        """Return a signed URL of the thumbnail, or an empty string when the scene has no keyframe."""
        return scene.thumbnail_url


class VideoSerializer(serializers.ModelSerializer[Video]):
    """A video in a list. Its title and description can be edited."""

    class Meta:
        model = Video
        fields = (
            "id",
            "title",
            "description",
            "filename",
            "mime_type",
            "size_bytes",
            "language",
            "state",
            "error_code",
            "error_text",
            "created_at",
            "updated_at",
        )
        read_only_fields = tuple(field for field in fields if field not in ("title", "description"))
        extra_kwargs = {"description": {"max_length": DESCRIPTION_MAX_LENGTH}}


class ChapterSerializer(serializers.Serializer[Any]):
    """A part of a video, up to the start of the next chapter."""

    title = serializers.CharField()
    start_s = serializers.FloatField()


class TimelineSerializer(serializers.Serializer[Any]):
    """A sheet of `count` small images, row by row of `columns`. Image `i` shows second `i × step_s` of the video."""

    url = serializers.CharField(help_text="Signed URL. It expires.")
    duration_s = serializers.FloatField()
    step_s = serializers.FloatField()
    columns = serializers.IntegerField()
    count = serializers.IntegerField()


class VideoDetailSerializer(VideoSerializer):
    """A video with its scenes."""

    chapters = ChapterSerializer(many=True, read_only=True, help_text="Empty for short videos and for videos with a single topic.")
    metadata = serializers.SerializerMethodField()
    scenes = SceneSerializer(many=True, read_only=True)
    people = serializers.SerializerMethodField()
    preview_url = serializers.SerializerMethodField()
    timeline = serializers.SerializerMethodField()

    class Meta(VideoSerializer.Meta):
        fields = (
            *VideoSerializer.Meta.fields,
            "checksum",
            "summary",
            "chapters",
            "tags",
            "people",
            "metadata",
            "preview_url",
            "timeline",
            "scenes",
        )  # type: ignore[assignment]
        read_only_fields = tuple(field for field in fields if field not in ("title", "description"))

    def to_representation(self, video: Video) -> dict[str, Any]:
        """Serialize the video after loading the people of all its scenes at once."""
        shared: Any = self.context
        shared["people"] = get_people_search().list_appearances(video.owner_id, [scene.pk for scene in video.scenes.all()])
        return dict(super().to_representation(video))

    @extend_schema_field(VideoPersonSerializer(many=True))
    def get_people(self, video: Video) -> Any:
        """Return the people in the video and the times of their scenes."""
        return VideoPersonSerializer(list_video_people(list(video.scenes.all()), self.context["people"]), many=True).data

    def get_metadata(self, video: Video) -> dict[str, Any] | None:
        """Return the measured properties, or null before they are known."""
        metadata = getattr(video, "metadata", None)
        return dict(VideoMetadataSerializer(metadata).data) if metadata else None

    def get_preview_url(self, video: Video) -> str:
        """Return a signed URL of the file, or an empty string until the video is ready."""
        return video.playback_url

    @extend_schema_field(TimelineSerializer(allow_null=True))
    def get_timeline(self, video: Video) -> dict[str, Any] | None:
        """Return the timeline, or null when there is none."""
        timeline = video.get_timeline()
        return asdict(timeline) if timeline else None
