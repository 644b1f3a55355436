"""Count how many scenes of an answer each further filter would keep."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import JSONBAgg
from django.db.models import Case, Count, F, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from videos.models import CollectedVideo, Scene, TaggedVideo
from videos.registry import get_people_search
from videos.search.tag_names import list_names

# Values of each facet, those with most scenes first.
MAX_VALUES = 20


@dataclass(frozen=True)
class FacetValue:
    """A value of a filter, its label for people, and the number of scenes that have it."""

    value: str
    label: str
    count: int


@dataclass(frozen=True)
class Facets:
    """The most frequent values of each filter among the scenes of an answer."""

    videos: tuple[FacetValue, ...]
    collections: tuple[FacetValue, ...]
    people: tuple[FacetValue, ...]
    languages: tuple[FacetValue, ...]
    tags: tuple[FacetValue, ...]


def count_facets(owner_id: UUID, scenes: QuerySet[Scene]) -> Facets:
    """Count the values of all facets among some scenes of an owner, with one query for each facet."""
    people = get_people_search().count_scenes(owner_id, scenes, MAX_VALUES)
    collected = CollectedVideo.objects.filter(owner_id=owner_id, video__scenes__in=scenes)
    return Facets(
        videos=_count(scenes, "video_id", "video__title"),
        collections=_count(collected, "collection_id", "collection__name", "video__scenes"),
        people=tuple(FacetValue(str(person.person_id), person.name, person.scenes) for person in people),
        languages=_count_languages(scenes),
        tags=_count_tags(owner_id, scenes),
    )


def _count(rows: QuerySet[Any], value: str, label: str, counted: str = "pk") -> tuple[FacetValue, ...]:
    counts = rows.order_by().values(value, label).annotate(facet_count=Count(counted, distinct=True)).order_by("-facet_count", label, value)
    return tuple(FacetValue(str(key), name, count) for key, name, count in counts.values_list(value, label, "facet_count")[:MAX_VALUES])


def _count_languages(scenes: QuerySet[Scene]) -> tuple[FacetValue, ...]:
    transcribed = Case(When(video__metadata__language="", then=None), default=F("video__metadata__language"))
    known = scenes.annotate(facet_language=Coalesce(transcribed, F("video__language"))).exclude(facet_language="")
    return _count(known, "facet_language", "facet_language")


def _count_tags(owner_id: UUID, scenes: QuerySet[Scene]) -> tuple[FacetValue, ...]:
    manual = TaggedVideo.objects.filter(owner_id=owner_id, video=OuterRef("video")).order_by().values("video")
    names = manual.annotate(names=JSONBAgg("tag__name")).values("names")
    tagged = scenes.annotate(facet_tag=list_names("tags", "video__tags", Subquery(names)))
    return _count(tagged, "facet_tag", "facet_tag")
