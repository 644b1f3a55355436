"""An app whose ingest hangs for films of one title, as with a broken library or a dead network."""

import time
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from videos.ingest.stage import StageContext

STAGES = ("validate", "probe", "index")
TITLE = "A film that hangs"


class HangingConfig(AppConfig):
    """Replaces the ingest's stages by a few that need no model, of which the first may hang."""

    name = "tests.acceptance"
    label = "hanging"

    def ready(self) -> None:
        from dataclasses import replace

        from videos.registry import list_stages, override_stages

        stages = [stage for stage in list_stages() if stage.name in STAGES]
        stages[0] = replace(stages[0], run=run)
        # For the whole life of this process.
        override_stages(stages).__enter__()


def run(context: "StageContext") -> None:
    """Hang, or do nothing."""
    while context.video.title == TITLE:
        time.sleep(1)
