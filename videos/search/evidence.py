"""Restrict hits and channels to kinds of evidence."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from django.db.models import QuerySet

from videos.channels import LEXICAL
from videos.models import Scene
from videos.search.fusion import FusedScene
from videos.search.lexical.query_words import contains_any
from videos.search.modes import Kind, Mode, get_kinds
from videos.search.parsed_query import TERM_FIELDS, ParsedQuery

# The kind of the channel of words, which also finds scenes by their titles.
_WORD_KINDS = (Kind.SPOKEN,)


def apply_mode(query: ParsedQuery, mode: Mode) -> ParsedQuery:
    """Return a query whose required terms must be found where the mode searches. Exclusions stay as they are. Pure."""
    if mode not in TERM_FIELDS:
        return query
    return replace(query, required=tuple(term if term.field else replace(term, field=mode.value) for term in query.required))


def restrict_words(scenes: QuerySet[Scene], owner_id: UUID, text: str, mode: Mode) -> QuerySet[Scene]:
    """Return the scenes in which a mode may find words: those where speech contains what the text searches for, not the title alone."""
    if mode is not Mode.SPOKEN:
        return scenes
    return scenes.filter(contains_any(owner_id, text, mode.value))


def keep_evidence(owner_id: UUID, fused: Sequence[FusedScene], text: str, kinds: Collection[Kind]) -> list[FusedScene]:
    """Return the scenes that one of the kinds of evidence has found, in order."""
    by_words = _find_words(owner_id, [scene.scene_id for scene in fused if _has_channel(scene, LEXICAL)], text, kinds)
    return [
        scene
        for scene in fused
        if scene.scene_id in by_words or any(rank.channel != LEXICAL and get_kinds(rank.channel) & set(kinds) for rank in scene.matches)
    ]


def _find_words(owner_id: UUID, scene_ids: list[UUID], text: str, kinds: Collection[Kind]) -> set[UUID]:
    return {
        scene_id
        for kind in _WORD_KINDS
        if kind in kinds and scene_ids
        for scene_id in Scene.objects.filter(contains_any(owner_id, text, kind.value), pk__in=scene_ids).values_list("pk", flat=True)
    }


def _has_channel(scene: FusedScene, channel: str) -> bool:
    return any(rank.channel == channel for rank in scene.matches)
