"""The admin pages of videos; apps that build on videos extend `VideoAdmin` and register it anew."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from heimdex.admin import ReadOnly
from videos.actions.delete_video import delete_video
from videos.models import EmbeddingSpace, Job, Scene, Video


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


class VideoAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Videos of all owners: their state, stages and errors."""

    actions: list[Any] = []
    list_display = ("title", "owner", "state", "error_text", "size_bytes", "created_at")
    list_filter = ("state",)
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Videos come by upload alone."""
        return False

    def delete_model(self, request: HttpRequest, obj: Video) -> None:
        """Delete files and all, as the owner would."""
        delete_video(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        """Delete files and all, as the owners would."""
        for video in queryset:
            delete_video(video)


@admin.register(EmbeddingSpace)
class EmbeddingSpaceAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The spaces that vectors live in."""

    list_display = ("channel", "step", "spec_version", "model_name", "dimensions", "created_at")
    list_filter = ("channel",)

    @admin.display(description="model")
    def model_name(self, space: EmbeddingSpace) -> str:
        """Return the model's name."""
        return str(space.embedder.get("model", ""))


admin.site.register(Video, VideoAdmin)
