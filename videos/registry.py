"""The extensions of `videos`: ingest stages, the people search, and functions to call after a transcript was edited.

Packages above this one register theirs in `AppConfig.ready`, because `videos` does not import them. Afterwards nothing changes.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from videos.ingest.stage import Stage
    from videos.models import Video
    from videos.search.people_backend import PeopleSearch

TranscriptListener = Callable[["Video"], None]

_stages: dict[str, "Stage"] = {}
_people_searches: list["PeopleSearch"] = []
_transcript_listeners: list[TranscriptListener] = []


def register_stage(stage: "Stage") -> None:
    """Add a stage to the ingest. Raise ImproperlyConfigured when another stage has its name or its order."""
    for other in _stages.values():
        if stage != other and (stage.name == other.name or stage.order == other.order):
            raise ImproperlyConfigured(
                f"Two ingest stages share a name or an order: {stage.name} ({stage.order}), {other.name} ({other.order})"
            )
    _stages[stage.name] = stage


def list_stages() -> tuple["Stage", ...]:
    """Return the stages of the ingest in order."""
    return tuple(sorted(_stages.values(), key=lambda stage: stage.order))


def find_stage(name: str) -> "Stage | None":
    """Return a stage; None for the job of a stage that no longer exists."""
    return _stages.get(name)


@contextmanager
def override_stages(stages: Iterable["Stage"]) -> Iterator[None]:
    """Replace the stages during a block or a decorated function, for tests and measurements."""
    original = dict(_stages)
    _replace_stages({stage.name: stage for stage in stages})
    try:
        yield
    finally:
        _replace_stages(original)


def _replace_stages(stages: dict[str, "Stage"]) -> None:
    _stages.clear()
    _stages.update(stages)


def register_people_search(search: "PeopleSearch") -> None:
    """Set the people search, which replaces an earlier one."""
    _people_searches[:] = [search]


def people_search() -> "PeopleSearch":
    """Return the registered people search. Raise ImproperlyConfigured when no app has registered one."""
    if not _people_searches:
        raise ImproperlyConfigured("No app has registered a people search. Add `people` to INSTALLED_APPS.")
    return _people_searches[0]


def register_transcript_listener(listener: TranscriptListener) -> None:
    """Have a function called with each video whose transcript was edited, in the transaction of the edit."""
    if listener not in _transcript_listeners:
        _transcript_listeners.append(listener)


def notify_transcript_edited(video: "Video") -> None:
    """Call the registered functions after an edit of one of the video's transcripts."""
    for listener in _transcript_listeners:
        listener(video)
