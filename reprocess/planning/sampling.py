"""Sample the scenes of a trial: those that judgments name, then a fair share of the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from videos.models import Scene

# Scenes without speech first, then by language, video and time. Every n-th scene of this order is a sample in which speech, languages,
# videos and the parts of a video have the shares that they have in all scenes (systematic sampling with implicit strata).
_STRATA = ("has_speech", "video__metadata__language", "video__language", "video__created_at", "video_id", "index")


@dataclass(frozen=True)
class SceneSample:
    """A sample of an owner's scenes, and what it was taken from: the stale scenes, and the scenes that judgments name."""

    scene_ids: frozenset[UUID]
    stale: int
    judged: int
    judged_sampled: int


def sample_scenes(stale: QuerySet[Scene], judged: Sequence[UUID], size: int) -> SceneSample:
    """Sample at most `size` scenes: first those that judgments name, in their order, then stale ones of every kind.

    The same scenes give the same sample.
    """
    first = judged[:size]
    rest = stale.exclude(pk__in=first)
    places = choose_places(rest.count(), size - len(first))
    numbered = rest.annotate(has_speech=~Q(transcript="")).annotate(place=Window(RowNumber(), order_by=[F(name).asc() for name in _STRATA]))
    others = numbered.filter(place__in=places).order_by().values_list("pk", flat=True) if places else ()
    return SceneSample(frozenset([*first, *others]), stale.count(), len(judged), len(first))


def choose_places(total: int, size: int) -> list[int]:
    """Return `size` places from 1 to `total` at equal distances, or all when there are not more. Pure."""
    if size >= total:
        return list(range(1, total + 1))
    return [(2 * number + 1) * total // (2 * size) + 1 for number in range(size)]
