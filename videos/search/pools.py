"""Ask the channels of a search for scenes: people, words, and the vectors of each space."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from heimdex.database.time_budget import UNLIMITED, Deadline, TimeBudget, TimeBudgetExceeded
from heimdex.text_analysis import analyze_query
from videos.channels import LEXICAL, ON_SCREEN, PERSON, Evidence
from videos.registry import get_people_search
from videos.search.conditions import SceneSelection
from videos.search.evidence import restrict_words
from videos.search.explain import Explanation
from videos.search.fusion import RankedScene, rank_scenes
from videos.search.intent import Intent, detect_intent
from videos.search.lexical.base import LEXICAL_CHANNELS, LexicalAnswer, LexicalMatch, LexicalQuery, LexicalUnavailable
from videos.search.lexical.handler import get_lexical_backend
from videos.search.lexical.query_words import list_languages
from videos.search.modes import Mode, is_searched
from videos.search.vectors import LEFT_OUT, TOO_SLOW, VectorSearch, list_active_spaces, search_spaces

# The number of scenes that each channel contributes at most.
POOL_SIZE = 200
# Operators were parsed before. What is left of them belongs to words, such as 5".
_OPERATORS = re.compile(r'(?<!\S)-+|"')
WORDS_WAIT = (
    "Words of {count} video(s) were not searched, because an older release indexed them. They are analyzed in the background, "
    "a little every minute."
)
NOTHING_SEARCHABLE = "The query has no letter, digit or emoji to search for. Add words."
WORDS_LEFT_OUT = "The search for words was left out: {reason}"


@dataclass
class Pools:
    """The ranked scenes of each channel, a sentence for each channel that was left out, and which evidence the query wants most."""

    ranked: list[list[RankedScene]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    emphasis: Mapping[Evidence, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SearchContext:
    """What all parts of a search share. They collect in `corrections` what mistyped words were searched as, too."""

    owner_id: UUID
    mode: Mode = Mode.ALL
    budget: TimeBudget = UNLIMITED
    explanation: Explanation = field(default_factory=Explanation)
    corrections: dict[str, tuple[str, ...]] = field(default_factory=dict)


def collect_pools(
    context: SearchContext, text: str, selection: SceneSelection, person_ids: tuple[UUID, ...] = (), *, every_person: bool = False
) -> Pools:
    """Search each channel of the mode among the selected scenes. Channels that do not answer within the budget are left out."""
    pools = Pools()
    if person_ids and is_searched(PERSON, context.mode):
        _add_people(pools, context, selection, person_ids, every_person=every_person)
    if text and not analyze_query(text, (), own_language=""):
        # Models place such a text somewhere, so that something would seem to fit.
        pools.notices.append(NOTHING_SEARCHABLE)
    elif text and context.mode is not Mode.PEOPLE:
        intent = detect_intent(text, list_languages(context.owner_id))
        pools.emphasis = intent.emphasis
        _add_words_and_vectors(pools, context, intent, selection)
    return pools


def search_words(query: LexicalQuery) -> list[list[RankedScene]]:
    """Return the ranked scenes of each lexical channel. Raise LexicalUnavailable when the backend cannot be reached."""
    return _rank_matches(get_lexical_backend().search(query))


def _rank_matches(answer: LexicalAnswer) -> list[list[RankedScene]]:
    return [_rank_words(channel, answer.matches.get(channel, ())) for channel in LEXICAL_CHANNELS]


def _rank_words(channel: str, matches: Sequence[LexicalMatch]) -> list[RankedScene]:
    rows = ((match.scene_id, match.video_id, match.score, match.score) for match in matches)
    return rank_scenes(channel, rows, {match.scene_id for match in matches if not match.is_match})


def _add_people(
    pools: Pools, context: SearchContext, selection: SceneSelection, person_ids: tuple[UUID, ...], *, every_person: bool
) -> None:
    matches = get_people_search().filter_scenes(selection.scenes, context.owner_id, person_ids, every=every_person)
    try:
        with context.explanation.measure(PERSON) as candidates, context.budget.limit_statements():
            pools.ranked.append(_rank_by_probability(matches))
            candidates[PERSON] = len(pools.ranked[-1])
    except TimeBudgetExceeded:
        pools.notices.append(LEFT_OUT.format(channel=PERSON, reason=TOO_SLOW))


def _add_words(pools: Pools, context: SearchContext, text: str, selection: SceneSelection, deadline: Deadline) -> None:
    channels = {channel for channel in LEXICAL_CHANNELS if is_searched(channel, context.mode)}
    text = _OPERATORS.sub(" ", text)
    scenes = selection.scenes if selection.is_restricted or selection.as_of else None
    try:
        with context.explanation.measure("words") as candidates, deadline.limit_statements():
            if LEXICAL in channels and ON_SCREEN not in channels:
                scenes = restrict_words(selection.scenes, context.owner_id, text, context.mode)
            query = LexicalQuery(context.owner_id, text, POOL_SIZE, selection.video_id, scenes)
            answer = get_lexical_backend().search(query)
            ranked = [pool for channel, pool in zip(LEXICAL_CHANNELS, _rank_matches(answer), strict=True) if channel in channels]
            context.corrections.update(answer.corrections)
            pools.notices += answer.notices
            if answer.waiting:
                pools.notices.append(WORDS_WAIT.format(count=answer.waiting))
            pools.ranked += ranked
            candidates.update(_count_matches(ranked))
    except LexicalUnavailable as error:
        pools.notices.append(WORDS_LEFT_OUT.format(reason=error))
    except TimeBudgetExceeded:
        pools.notices.append(WORDS_LEFT_OUT.format(reason=TOO_SLOW))


def _add_words_and_vectors(pools: Pools, context: SearchContext, intent: Intent, selection: SceneSelection) -> None:
    def find_words(deadline: Deadline) -> set[UUID]:
        _add_words(pools, context, intent.text, selection, deadline)
        return {scene.scene_id for pool in pools.ranked for scene in pool}

    with context.explanation.measure("vectors") as candidates:
        spaces = [space for space in list_active_spaces(context.owner_id) if is_searched(space.channel, context.mode)]
        search = VectorSearch(
            context.owner_id,
            selection.scenes,
            spaces,
            intent.text,
            POOL_SIZE,
            language=intent.language,
            is_restricted=selection.is_restricted,
        )
        vectors = search_spaces(search, find_words, context.budget)
        ranked = vectors.select(spaces)
        pools.ranked += ranked
        pools.notices += vectors.notices
        candidates.update(_count_matches(ranked))


def _count_matches(ranked: Sequence[Sequence[RankedScene]]) -> dict[str, int]:
    return {pool[0].channel: sum(scene.is_match for scene in pool) for pool in ranked if pool}


def _rank_by_probability(scenes: QuerySet[Any]) -> list[RankedScene]:
    rows = scenes.order_by("-probability", "video__created_at", "index").values_list("pk", "video_id", "probability")[:POOL_SIZE]
    return rank_scenes(PERSON, ((*row, row[2]) for row in rows))
