"""What the API takes and shows of videos and scenes."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from heimdex.storage import media_storage
from videos.api.appearances import AppearanceSerializer, CastMemberSerializer
from videos.cast import cast
from videos.ingest.progress import StageProgress, current_stage, percent
from videos.models import Job, Scene, Video, VideoMetadata
from videos.search.who import who_is_there
from videos.timelines import timeline_of

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
    notices = serializers.SerializerMethodField()
    stages = JobSerializer(source="jobs", many=True)

    class Meta:
        model = Video
        fields = ("video_id", "state", "stage", "progress", "error", "error_code", "notices", "stages", "updated_at")

    def get_stage(self, video: Video) -> str:
        """Return the stage that is at work or waits."""
        return current_stage(_stages(video)) if video.state in Video.MOVING else ""

    def get_progress(self, video: Video) -> int:
        """Return 0 to 100."""
        return 100 if video.state == Video.State.INDEXED else percent(_stages(video))

    def get_notices(self, video: Video) -> list[str]:
        """Return what could not be understood of a video that is no failure for it: sentences for its owner."""
        metadata = getattr(video, "metadata", None)
        return [notice for notice in (metadata.damage_notice, metadata.speech_notice) if notice] if metadata else []


class VideoMetadataSerializer(serializers.ModelSerializer[VideoMetadata]):
    """What was measured about the file."""

    class Meta:
        model = VideoMetadata
        exclude = ("video", "owner", "has_timeline")


class PictureSerializer(serializers.Serializer[Any]):
    """A picture of a scene, at most 1,280 pixels long and high."""

    time_s = serializers.FloatField(allow_null=True, help_text="When it was seen, from the video's start.")
    url = serializers.CharField(help_text="Signed, and expiring.")


class SceneSerializer(serializers.ModelSerializer[Scene]):
    """One scene with what is said and seen in it."""

    pictures = serializers.SerializerMethodField()
    people = serializers.SerializerMethodField()
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
            "people",
            "thumbnail_url",
            "pictures",
        )

    @extend_schema_field(PictureSerializer(many=True))
    def get_pictures(self, scene: Scene) -> list[dict[str, Any]]:
        """Return the one to three pictures of a scene, first the one that represents it; none when there is none."""
        times = [scene.keyframe_time_s, *scene.other_keyframes_s] if scene.clip_hash else []
        # Without their thumbnails: signing takes a millisecond where files lie in S3, and a film has a thousand scenes.
        return [{"time_s": time_s, "url": _signed(key)} for time_s, (key, _) in zip(times, scene.pictures, strict=True)]

    @extend_schema_field(AppearanceSerializer(many=True))
    def get_people(self, scene: Scene) -> Any:
        """Return who is in the scene, the surest first."""
        people = self.context.get("people")
        if people is None:
            # A scene that is shown alone.
            people = who_is_there().in_scenes(scene.owner_id, [scene.pk])
        return AppearanceSerializer(people.get(scene.pk, ()), many=True).data

    def get_thumbnail_url(self, scene: Scene) -> str:
        """Return a signed, expiring address of the scene's small picture; empty when there is none."""
        return _signed(scene.thumbnail_key) if scene.clip_hash else ""


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


class TimelineSerializer(serializers.Serializer[Any]):
    """A sheet of `count` small pictures, row by row of `columns`; picture `i` shows second `i × step_s` of the video."""

    url = serializers.CharField(help_text="Signed, and expiring.")
    duration_s = serializers.FloatField()
    step_s = serializers.FloatField()
    columns = serializers.IntegerField()
    count = serializers.IntegerField()


class VideoDetailSerializer(VideoSerializer):
    """A video with its scenes."""

    chapters = ChapterSerializer(many=True, read_only=True, help_text="Empty for short videos, and for those of one topic.")
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
        """Return the video, with whoever is in its scenes read at once."""
        shared: Any = self.context
        shared["people"] = who_is_there().in_scenes(video.owner_id, [scene.pk for scene in video.scenes.all()])
        return dict(super().to_representation(video))

    @extend_schema_field(CastMemberSerializer(many=True))
    def get_people(self, video: Video) -> Any:
        """Return who appears in the video, and when."""
        return CastMemberSerializer(cast(list(video.scenes.all()), self.context["people"]), many=True).data

    def get_metadata(self, video: Video) -> dict[str, Any] | None:
        """Return what probing found, or null before it."""
        metadata = getattr(video, "metadata", None)
        return dict(VideoMetadataSerializer(metadata).data) if metadata else None

    def get_preview_url(self, video: Video) -> str:
        """Return a signed, expiring address of the file; empty until it has been checked."""
        return _signed(video.original_key) if video.state == Video.State.INDEXED else ""

    @extend_schema_field(TimelineSerializer(allow_null=True))
    def get_timeline(self, video: Video) -> dict[str, Any] | None:
        """Return the sheet of small pictures, or null where there is none."""
        timeline = timeline_of(video)
        return asdict(timeline) if timeline else None


def _signed(key: str) -> str:
    return media_storage().download_url(key, settings.LINK_TTL_SECONDS)


def _stages(video: Video) -> list[StageProgress]:
    return [StageProgress(job.stage, job.state == Job.State.DONE, job.progress) for job in video.jobs.all()]
