"""A stage that never returns for a film of this name, as a broken library or a dead network does."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from videos.ingest.stage import StageContext

STAGES = {
    "validate": f"{__name__}.run",
    "probe": "videos.ingest.stages.probe.run",
    "index": "videos.ingest.stages.index.run",
}
TITLE = "A film that hangs"


def run(context: "StageContext") -> None:
    """Hang, or do nothing."""
    while context.video.title == TITLE:
        time.sleep(1)
