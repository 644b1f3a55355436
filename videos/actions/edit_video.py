"""Change what a person wrote about a video."""

from django.utils import timezone

from videos.models import Video


def edit_video(video: Video, *, title: str | None = None, description: str | None = None) -> Video:
    """Set title or description; the lexical search follows by itself, and no vector depends on them."""
    if title is not None:
        video.title = title
    if description is not None:
        video.description = description
    video.updated_at = timezone.now()
    video.save(update_fields=["title", "description", "updated_at"])
    return video
