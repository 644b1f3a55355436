"""The app of videos, scenes and their vectors."""

from django.apps import AppConfig


class VideosConfig(AppConfig):
    name = "videos"

    def ready(self) -> None:
        from videos import checks  # noqa: F401  (registers the system check)
        from videos.ingest.stages import register_stages

        register_stages()
