"""The app of videos, scenes and their vectors."""

from django.apps import AppConfig


class VideosConfig(AppConfig):
    name = "videos"

    def ready(self) -> None:
        from heimdex.accounts.quotas import register_usage
        from heimdex.backlog import register_work
        from heimdex.outages.classify import OutageKind
        from heimdex.outages.probes import register_probe
        from heimdex.queue import UPLOADS
        from heimdex.uploads.open_uploads import register_uploads
        from videos import checks  # noqa: F401  (registers the system check)
        from videos.actions.uploads import find_upload
        from videos.ingest.backlog import count_videos
        from videos.ingest.stages import register_stages
        from videos.search.lexical.search_index import find_obstacle
        from videos.usage import measure_videos

        register_stages()
        register_usage(measure_videos)
        register_uploads(find_upload)
        register_work(UPLOADS, count_videos)
        register_probe(OutageKind.SEARCH, find_obstacle)
