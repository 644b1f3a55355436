"""The candidates of judged queries as search collects them: each scene's certainty in each channel, before they are fused."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from bench.installation import empty_database
from bench.judged_library import Libraries
from bench.judged_sets import load_unanswerable
from videos.channels import Evidence
from videos.search.fusion import RankedScene

JOINED = "A and B"


@dataclass(frozen=True)
class JudgedCandidates:
    """The pools of a query, which `fuse` makes a ranking of, and the grades of all scenes that answer it.

    `group` names the set and where the query was asked.
    """

    group: str
    text: str
    emphasis: Mapping[Evidence, float]
    pools: Sequence[Sequence[RankedScene]]
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
    sets = libraries.add_each_set()
    libraries.add(JOINED, sets["A"], sets["B"])
    libraries.embed()

    def collect(group: str, library: str, text: str, grades: Mapping[UUID, int], video_id: UUID | None = None) -> JudgedCandidates:
        owner_id = libraries.get_owner(library).pk
        query = parse_query(text, lambda: get_people_search().load_names(owner_id))
        selection = select_scenes(owner_id, query, SearchFilters(), video_id=video_id)
        pools = collect_pools(SearchContext(owner_id), query.text, selection)
        return JudgedCandidates(group, text, pools.emphasis, pools.ranked, grades, video_id is not None)

    for name, judged in sets.items():
        for query in libraries.resolve(name, judged):
            yield collect(name, name, query.judged.text, query.grades)
            if query.video_id:
                yield collect(f"{name} in its film", name, query.judged.text, query.grades, query.video_id)
    for name in ("A", "B"):
        for query in libraries.resolve(JOINED, sets[name], in_films=False):
            yield collect(f"{name} in the library of {JOINED}", JOINED, query.judged.text, query.grades)
    for unanswerable in load_unanswerable(libraries.folder):
        yield collect(f"E {unanswerable.kind} {unanswerable.library}", unanswerable.library, unanswerable.text, {})
