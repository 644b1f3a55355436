"""What the API takes and shows of videos and scenes."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from heimdex.storage import media_storage
from videos.ingest.progress import StageProgress, current_stage, percent
from videos.models import Job, Scene, Video, VideoMetadata

DESCRIPTION_LENGTH = 10_000


class InitUploadSerializer(serializers.Serializer[Any]):
    """The announcement of an upload."""

    filename = serializers.CharField(max_length=1024)
    mime_type = serializers.CharField(max_length=255, help_text="video/*, image/gif, or application/octet-stream if unknown.")
    size_bytes = serializers.IntegerField(min_value=0)
    title = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    description = serializers.CharField(max_length=DESCRIPTION_LENGTH, required=False, allow_blank=True, default="")
    language = serializers.CharField(
        max_length=30,
        required=False,
        allow_blank=True,
        default="",
        help_text="Of the speech, as a code such as en, de or pt-BR; found out when left out.",
    )


class UploadTargetSerializer(serializers.Serializer[Any]):
    """Where and how to send the bytes."""

    method = serializers.CharField()
    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    expires_at = serializers.DateTimeField()


class InitUploadAnswerSerializer(serializers.Serializer[Any]):
    """The answer to an announcement."""

    video_id = serializers.UUIDField()
    upload = UploadTargetSerializer()


class VideoIdSerializer(serializers.Serializer[Any]):
    """A body that names a video."""

    video_id = serializers.UUIDField()


class JobSerializer(serializers.ModelSerializer[Job]):
    """One stage of a video's ingest."""

    duration_s = serializers.FloatField(allow_null=True, help_text="Of the last attempt, so far if it is at work; null before the first.")

    class Meta:
        model = Job
        fields = ("stage", "state", "progress", "attempts", "error", "started_at", "finished_at", "duration_s")


class VideoStatusSerializer(serializers.ModelSerializer[Video]):
    """Where a video stands."""

    video_id = serializers.UUIDField(source="pk")
    stage = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()
    error = serializers.CharField(source="error_text")
    stages = JobSerializer(source="jobs", many=True)

    class Meta:
        model = Video
        fields = ("video_id", "state", "stage", "progress", "error", "error_code", "stages", "updated_at")

    def get_stage(self, video: Video) -> str:
        """Return the stage that is at work or waits."""
        return current_stage(_stages(video)) if video.state in Video.MOVING else ""

    def get_progress(self, video: Video) -> int:
        """Return 0 to 100."""
        return 100 if video.state == Video.State.INDEXED else percent(_stages(video))


class VideoMetadataSerializer(serializers.ModelSerializer[VideoMetadata]):
    """What was measured about the file."""

    class Meta:
        model = VideoMetadata
        exclude = ("video", "owner")


class SceneSerializer(serializers.ModelSerializer[Scene]):
    """One scene with what is said and seen in it."""

    thumbnail_url = serializers.SerializerMethodField()
    transcript_version = serializers.CharField(read_only=True, help_text="For `If-Match` when the transcript is changed.")

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
            "thumbnail_url",
        )

    def get_thumbnail_url(self, scene: Scene) -> str:
        """Return a signed, expiring address of the scene's small picture; empty when there is none."""
        return media_storage().download_url(scene.thumbnail_key, settings.LINK_TTL_SECONDS) if scene.clip_hash else ""


class VideoSerializer(serializers.ModelSerializer[Video]):
    """A video in a list; title and description may be changed."""

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
        extra_kwargs = {"description": {"max_length": DESCRIPTION_LENGTH}}


class ChapterSerializer(serializers.Serializer[Any]):
    """A part of a video, from its start to the next chapter's."""

    title = serializers.CharField()
    start_s = serializers.FloatField()


class VideoDetailSerializer(VideoSerializer):
    """A video with its scenes."""

    chapters = ChapterSerializer(many=True, read_only=True, help_text="Empty for short videos, and for those of one topic.")
    metadata = serializers.SerializerMethodField()
    scenes = SceneSerializer(many=True, read_only=True)
    preview_url = serializers.SerializerMethodField()

    class Meta(VideoSerializer.Meta):
        fields = (*VideoSerializer.Meta.fields, "checksum", "summary", "chapters", "tags", "metadata", "preview_url", "scenes")  # type: ignore[assignment]
        read_only_fields = tuple(field for field in fields if field not in ("title", "description"))

    def get_metadata(self, video: Video) -> dict[str, Any] | None:
        """Return what probing found, or null before it."""
        metadata = getattr(video, "metadata", None)
        return dict(VideoMetadataSerializer(metadata).data) if metadata else None

    def get_preview_url(self, video: Video) -> str:
        """Return a signed, expiring address of the file; empty until it has been checked."""
        return media_storage().download_url(video.original_key, settings.LINK_TTL_SECONDS) if video.state == Video.State.INDEXED else ""


def _stages(video: Video) -> list[StageProgress]:
    return [StageProgress(job.stage, job.state == Job.State.DONE, job.progress) for job in video.jobs.all()]
