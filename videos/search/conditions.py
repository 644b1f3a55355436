"""The scenes that a search may answer with: one condition for phrases, exclusions, people and filters, which every channel applies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from heimdex.database.names import has_name
from videos.models import CollectedVideo, Job, Scene, TaggedVideo, Video
from videos.registry import get_people_search
from videos.search.lexical.query_words import list_languages
from videos.search.parsed_query import ParsedQuery, Term, VideoFilters
from videos.search.query_values import get_midnight
from videos.search.tag_names import has_tag
from videos.search.typed_names import normalize_name
from videos.search.word_conditions import FIELDS, contains_phrase, contains_word


@dataclass(frozen=True)
class SearchFilters(VideoFilters):
    """Filters beside a query: a collection, people (any of them, or every one)."""

    collection_id: UUID | None = None
    person_ids: tuple[UUID, ...] = ()
    every_person: bool = False


@dataclass(frozen=True)
class SceneSelection:
    """The scenes of an owner that satisfy a query's conditions, all in one video if it has an id.

    `is_restricted` states that they are only some of the owner's scenes. `as_of` leaves out only the latest videos.
    """

    scenes: QuerySet[Scene]
    is_restricted: bool
    video_id: UUID | None = None
    as_of: datetime | None = None


def select_scenes(
    owner_id: UUID, query: ParsedQuery, filters: SearchFilters, *, video_id: UUID | None = None, as_of: datetime | None = None
) -> SceneSelection:
    """Return the scenes that satisfy a query and filters. With `as_of`, videos that were not indexed at that time are left out."""
    conditions = [
        *_match_terms(owner_id, query),
        *_match_people(owner_id, query, filters),
        *_match_tags(owner_id, query),
        *_match_tags(owner_id, filters),
    ]
    video_conditions = [*_match_videos(query), *_match_videos(filters)]
    if filters.collection_id:
        collected = CollectedVideo.objects.filter(owner_id=owner_id, collection=filters.collection_id, video=OuterRef("pk"))
        video_conditions.append(Q(Exists(collected)))
    if video_id:
        conditions.append(Q(video_id=video_id))
    if video_conditions:
        # Few rows in comparison with scenes, so that they are found once, and first.
        videos = Video.objects.filter(reduce(and_, video_conditions), owner_id=owner_id)
        conditions.append(Q(video__in=videos))
    scenes = Scene.objects.filter_searchable(owner_id)
    if conditions:
        scenes = scenes.filter(reduce(and_, conditions))
    if as_of is not None:
        scenes = scenes.filter(_is_indexed_at(as_of))
    return SceneSelection(scenes, bool(conditions), video_id, as_of)


def _match_terms(owner_id: UUID, query: ParsedQuery) -> list[Q]:
    if not query.required and not query.excluded:
        return []
    languages = list_languages(owner_id)
    required = [_match_term(owner_id, term, languages) for term in query.required]
    return [*required, *(~_match_term(owner_id, term, languages) for term in query.excluded)]


def _match_term(owner_id: UUID, term: Term, languages: Sequence[str]) -> Q:
    fields = (term.field,) if term.field else FIELDS
    return contains_phrase(owner_id, term.text, fields) if term.is_phrase else contains_word(owner_id, term.text, fields, languages)


def _match_people(owner_id: UUID, query: ParsedQuery, filters: SearchFilters) -> list[Q]:
    people = get_people_search()
    required = [person_ids for person_ids in (filters.person_ids, query.person_ids) if person_ids]
    conditions = [people.match_scenes(owner_id, person_ids, every=filters.every_person) for person_ids in required]
    if query.excluded_person_ids:
        conditions.append(~people.match_scenes(owner_id, query.excluded_person_ids, every=False))
    return conditions


def list_people(query: ParsedQuery, filters: SearchFilters) -> tuple[UUID, ...]:
    """Return the people that a query and its filters name, each once."""
    return tuple(dict.fromkeys((*filters.person_ids, *query.person_ids)))


def _match_tags(owner_id: UUID, filters: VideoFilters) -> list[Q]:
    required = [_match_tag(owner_id, name) for name in filters.tags]
    return [*required, *(~_match_tag(owner_id, name) for name in filters.excluded_tags)]


def _match_tag(owner_id: UUID, name: str) -> Q:
    """Return the condition that the ingest gave the tag to a scene or its video, or the owner gave it to the video."""
    name = normalize_name(name)
    manual = TaggedVideo.objects.filter(has_name(name, "tag__name"), owner_id=owner_id)
    automatic = Video.objects.filter(has_tag("tags", "$[*]", name), owner_id=owner_id)
    return has_tag("tags", "$[*].name", name) | Q(video__in=automatic) | Q(video__in=manual.values("video"))


def _match_videos(filters: VideoFilters) -> list[Q]:
    conditions = []
    if filters.languages:
        conditions.append(_match_language(filters.languages))
    if filters.excluded_languages:
        conditions.append(~_match_language(filters.excluded_languages))
    if filters.uploaded_from:
        conditions.append(Q(created_at__gte=get_midnight(filters.uploaded_from, settings.TIME_ZONE)))
    if filters.uploaded_before:
        conditions.append(Q(created_at__lt=get_midnight(filters.uploaded_before, settings.TIME_ZONE)))
    if filters.longer_than_s is not None:
        conditions.append(Q(metadata__duration_s__gt=filters.longer_than_s))
    if filters.shorter_than_s is not None:
        conditions.append(Q(metadata__duration_s__lt=filters.shorter_than_s))
    return conditions


def _match_language(languages: tuple[str, ...]) -> Q:
    """Return the condition that a video is spoken in one of the languages: as transcribed, or else as its owner said."""
    transcribed = Q(metadata__language__in=languages)
    is_unknown = Q(metadata__isnull=True) | Q(metadata__language="")
    return transcribed | Q(is_unknown, language__in=languages)


def _is_indexed_at(moment: datetime) -> Q:
    later = Job.objects.filter(video=OuterRef("video"), stage="index", finished_at__gt=moment)
    return Q(~Exists(later), video__created_at__lte=moment)
