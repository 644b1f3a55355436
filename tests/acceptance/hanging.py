"""An app whose ingest hangs for films with one title, as with a broken library or a dead network."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from videos.ingest.stage import Stage, StageContext

STAGES = ("validate", "probe", "index")
TITLE = "A film that hangs"


class HangingConfig(AppConfig):
    """Replaces the ingest's stages with a few that need no model; the first may hang."""

    name = "tests.acceptance"
    label = "hanging"

    def ready(self) -> None:
        from videos.registry import override_stages

        # Kept, because it applies for the life of this process.
        self._override = override_stages(list_hanging_stages())
        self._override.__enter__()


def list_hanging_stages() -> "list[Stage]":
    """Return the stages of this ingest."""
    from videos.registry import list_stages

    stages = [stage for stage in list_stages() if stage.name in STAGES]
    return [replace(stages[0], run=run), *stages[1:]]


def run(context: "StageContext") -> None:
    """Hang, or do nothing."""
    while context.video.title == TITLE:
        time.sleep(1)
