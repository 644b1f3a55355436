"""The uploaded file, as all stages of one ingest see it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from django.conf import settings

from heimdex.media.info import MediaInfo, MediaLimits
from heimdex.media.probe import probe


@dataclass
class SourceFile:
    """A file on this machine, probed once, when a stage first asks."""

    path: Path

    @cached_property
    def info(self) -> MediaInfo:
        """Return what the file holds; MediaError when it is no video or beyond a limit."""
        return probe(self.path, MediaLimits(max_duration_s=settings.MAX_DURATION_SECONDS))
