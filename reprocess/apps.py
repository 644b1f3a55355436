"""The app of the embedding spec and its runs."""

from django.apps import AppConfig


class ReprocessConfig(AppConfig):
    name = "reprocess"

    def ready(self) -> None:
        from heimdex.backlog import register_work
        from heimdex.queue import REPROCESS
        from reprocess import checks  # noqa: F401  (registers the system check of the spec's lock)
        from reprocess.actions.refresh import refresh_edited
        from reprocess.runs.backlog import count_items_of_runs
        from reprocess.runs.ingest_stage import STAGE
        from reprocess.steps import register_steps
        from videos.registry import register_edit_listener, register_stage

        register_steps()
        register_stage(STAGE)
        register_edit_listener(refresh_edited)
        register_work(REPROCESS, count_items_of_runs)
