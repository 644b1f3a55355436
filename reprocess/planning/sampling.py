"""Sample the scenes of a trial: those that judgments name, then a fair share of the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from videos.models import Scene

# Scenes without speech first, then by language, video and time. Scenes that are spread evenly over this order are a sample in which speech,
# languages, videos and the parts of a video have about the shares that they have in all scenes (implicit strata).
_STRATA = ("has_speech", "video__metadata__language", "video__language", "video__created_at", "video_id", "index")

# Fractions in units of 1 / 2 ** 32. The ratio is odd, so its multiples reach every fraction, and with it every place.
_ONE = 2**32
_MIDDLE = 2**31
_GOLDEN_RATIO = 2654435769


@dataclass(frozen=True)
class SceneSample:
    """A sample of an owner's scenes, and what it was taken from: the stale scenes, and the scenes that judgments name."""

    scene_ids: frozenset[UUID]
    stale: int
    judged: int
    judged_sampled: int


def sample_scenes(stale: QuerySet[Scene], judged: Sequence[UUID], size: int) -> SceneSample:
    """Sample at most `size` scenes: first those that judgments name, in their order, then stale ones of every kind.

    The same scenes give the same sample, and a larger size gives more scenes beside those of a smaller one.
    """
    first = judged[:size]
    rest = stale.exclude(pk__in=first)
    places = choose_places(rest.count(), size - len(first))
    numbered = rest.annotate(has_speech=~Q(transcript="")).annotate(place=Window(RowNumber(), order_by=[F(name).asc() for name in _STRATA]))
    others = numbered.filter(place__in=places).order_by().values_list("pk", flat=True) if places else ()
    return SceneSample(frozenset([*first, *others]), stale.count(), len(judged), len(first))


def choose_places(total: int, size: int) -> list[int]:
    """Return `size` different places from 1 to `total`, spread evenly, or all when there are not more. Pure.

    Each place divides one of the largest gaps that the places before it leave (the multiples of the golden ratio, without their whole
    part), so fewer places are among more.
    """
    places: dict[int, None] = {}
    for number in count():
        if len(places) == min(size, total):
            break
        places[((_MIDDLE + number * _GOLDEN_RATIO) % _ONE * total // _ONE) + 1] = None
    return list(places)
