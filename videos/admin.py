"""The admin pages of videos. Apps above this one extend `VideoAdmin` and register it again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from heimdex.admin import ReadOnly
from videos.actions.retries import retry_failed_videos
from videos.actions.videos import delete_video, edit_video
from videos.models import EmbeddingSpace, Job, Scene, SearchChange, Video
from videos.status import get_video_status


class JobInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The stages of a video's ingest."""

    model = Job
    fields = ("stage", "state", "progress", "attempts", "error", "started_at", "finished_at")
    extra = 0


class SceneInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The scenes of a video."""

    model = Scene
    fields = ("index", "start_s", "end_s", "transcript", "description")
    extra = 0
    show_change_link = False


@admin.action(description="Retry failed videos", permissions=["retry"])
def retry_videos(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Video]) -> None:
    """Let the failed ones of the selected videos continue at the stage that failed."""
    counts = retry_failed_videos(queryset)
    left_out = sum(counts.left_out.values())
    messages.success(request, f"Retrying {counts.total} failed video(s).")
    if left_out:
        messages.warning(request, f"{left_out} video(s) were left out: a retry with the same file cannot succeed.")


class VideoAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The videos of all owners: their status, stages and errors."""

    actions: list[Any] = [retry_videos]
    list_display = ("title", "owner", "status", "error_text", "size_bytes", "created_at")
    list_filter = ("state", "error_code")
    list_select_related = ("owner",)
    list_per_page = 50
    search_fields = ("title", "filename", "owner__email", "id")
    fields = (
        "id",
        "owner",
        "title",
        "description",
        "filename",
        "mime_type",
        "size_bytes",
        "checksum",
        "state",
        "error_code",
        "error_text",
        "summary",
    )
    readonly_fields = tuple(field for field in fields if field not in ("title", "description"))
    inlines = (JobInline, SceneInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Video]:
        """Return the videos with the rows that their status needs."""
        return super().get_queryset(request).select_related("metadata").prefetch_related("jobs")

    @admin.display(ordering="state")
    def status(self, video: Video) -> str:
        """Return the label of the video's status, with the progress while it is processed."""
        status = get_video_status(video)
        return f"{status.label} ({status.progress} %)" if status.is_processing else status.label

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may retry videos: any staff member, as for runs."""
        return bool(request.user.is_active and request.user.is_staff)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: videos are only created by uploads."""
        return False

    def save_model(self, request: HttpRequest, obj: Video, form: Any, change: bool) -> None:
        """Save the title and the description as an owner's edit does, with everything that depends on them."""
        edit_video(obj, title=obj.title, description=obj.description)

    def delete_model(self, request: HttpRequest, obj: Video) -> None:
        """Delete a video with its files."""
        delete_video(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        """Delete videos with their files."""
        for video in queryset:
            delete_video(video)


@admin.register(EmbeddingSpace)
class EmbeddingSpaceAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The spaces of vectors."""

    list_display = ("channel", "step", "spec_version", "model_name", "dimensions", "created_at")
    list_filter = ("channel",)

    @admin.display(description="model")
    def model_name(self, space: EmbeddingSpace) -> str:
        """Return the model's name."""
        return str(space.embedder.get("model", ""))


@admin.register(SearchChange)
class SearchChangeAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """What OpenSearch has not received yet, and what it refuses."""

    list_display = ("id", "created_at", "scene_id", "attempts", "is_dead", "error")
    list_filter = ("is_dead",)


admin.site.register(Video, VideoAdmin)
