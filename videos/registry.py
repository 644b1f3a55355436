"""The extensions of `videos`: ingest stages, the people search, and functions to call after an owner's edit.

`videos` does not import the packages above it. They register their extensions in `AppConfig.ready`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from videos.channels import Source
    from videos.ingest.stage import Stage
    from videos.models import Video
    from videos.search.people_backend import PeopleSearch

EditListener = Callable[["Video", "Collection[Source]"], None]

_stages: dict[str, "Stage"] = {}
_people_searches: list["PeopleSearch"] = []
_edit_listeners: list[EditListener] = []


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


def get_people_search() -> "PeopleSearch":
    """Return the registered people search. Raise ImproperlyConfigured when no app has registered one."""
    if not _people_searches:
        raise ImproperlyConfigured("No app has registered a people search. Add `people` to INSTALLED_APPS.")
    return _people_searches[0]


def register_edit_listener(listener: EditListener) -> None:
    """Have a function called with each edited video and the sources that changed, in the transaction of the edit."""
    if listener not in _edit_listeners:
        _edit_listeners.append(listener)


def notify_edited(video: "Video", *sources: "Source") -> None:
    """Call the registered functions after an owner's edit of some sources, when the input hashes are refreshed."""
    for listener in _edit_listeners:
        listener(video, sources)
