"""The candidates of judged queries as search collects them: each scene's certainty in each channel, before they are fused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from bench.installation import empty_database
from bench.judged_library import Libraries, load_main_sets
from bench.judged_sets import LANGUAGES, load_sentences, load_unanswerable
from videos.channels import Evidence

if TYPE_CHECKING:
    from videos.search.fusion import RankedScene

JOINED = "A and B"


@dataclass(frozen=True)
class Candidate:
    """A scene, its certainty by channel, the channels in which it is a match, and the grade that judges gave it."""

    scene_id: UUID
    video_id: UUID
    certainties: Mapping[str, float]
    matches: frozenset[str]
    grade: int = 0


@dataclass(frozen=True)
class JudgedCandidates:
    """The candidates of a query in the order of the pools, and the grades of all scenes that answer it.

    `group` names the set and where the query was asked.
    """

    group: str
    text: str
    emphasis: Mapping[Evidence, float]
    candidates: tuple[Candidate, ...]
    grades: Mapping[UUID, int]
    is_in_film: bool = False

    @property
    def is_alone(self) -> bool:
        """Whether the query was asked in a library with its set only, and not in a film of it."""
        return not self.is_in_film and not self.group.endswith(JOINED)


def collect_candidates() -> Iterator[JudgedCandidates]:
    """Load the judged sets into an empty installation, and yield the candidates of each query."""
    from videos.registry import get_people_search
    from videos.search.conditions import SearchFilters, select_scenes
    from videos.search.pools import SearchContext, collect_pools
    from videos.search.query_language import parse_query

    empty_database()
    libraries = Libraries()
    sets = load_main_sets(libraries.folder)
    sets |= {f"D {language}": load_sentences(libraries.folder, language, language) for language in LANGUAGES}
    for name, judged in sets.items():
        libraries.add(name, judged)
    libraries.add(JOINED, sets["A"], sets["B"])
    libraries.embed()

    def collect(group: str, library: str, text: str, grades: Mapping[UUID, int], video_id: UUID | None = None) -> JudgedCandidates:
        owner_id = libraries.get_owner(library).pk
        query = parse_query(text, lambda: get_people_search().load_names(owner_id))
        selection = select_scenes(owner_id, query, SearchFilters(), video_id=video_id)
        pools = collect_pools(SearchContext(owner_id), query.text, selection)
        merged = _merge([scene for pool in pools.ranked for scene in pool], grades)
        return JudgedCandidates(group, text, pools.emphasis, merged, grades, video_id is not None)

    for name, judged in sets.items():
        for query in libraries.resolve(name, judged):
            yield collect(name, name, query.judged.text, query.grades)
            if query.video_id:
                yield collect(f"{name} in its film", name, query.judged.text, query.grades, query.video_id)
    for name in ("A", "B"):
        for query in libraries.resolve(JOINED, sets[name], in_films=False):
            yield collect(f"{name} in the library of A and B", JOINED, query.judged.text, query.grades)
    for unanswerable in load_unanswerable(libraries.folder):
        yield collect(f"E {unanswerable.kind} {unanswerable.library}", unanswerable.library, unanswerable.text, {})


def _merge(ranks: "list[RankedScene]", grades: Mapping[UUID, int]) -> tuple[Candidate, ...]:
    by_scene: dict[UUID, list[RankedScene]] = {}
    for rank in ranks:
        by_scene.setdefault(rank.scene_id, []).append(rank)
    return tuple(
        Candidate(
            scene_id,
            group[0].video_id,
            {rank.channel: rank.certainty for rank in group},
            frozenset(rank.channel for rank in group if rank.is_match),
            grades.get(scene_id, 0),
        )
        for scene_id, group in by_scene.items()
    )
