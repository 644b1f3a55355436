"""Measure the search of an owner's library, or a run of another program, with judged queries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from heimdex.accounts.models import User
from heimdex.errors import Refused
from videos.evaluation.judgments import JudgedQuery
from videos.evaluation.measures import Measures, measure_ranking
from videos.evaluation.rankings import RankedAnswer, rank_query
from videos.evaluation.references import ResolvedQuery
from videos.evaluation.report import Kind, MeasuredQuery, SearchScope, SummaryRow, summarize
from videos.search.lexical.handler import lexical_backends

LIBRARY, VIDEO = "library", "video"
NOT_SEARCHED = "The query {id} ({text}) cannot be searched. {reason} Correct or remove it."


@dataclass(frozen=True)
class Evaluation:
    """The summary of some judged queries, and the notices of their searches, each once."""

    queries: int
    rows: tuple[SummaryRow, ...]
    notices: tuple[str, ...] = ()


def evaluate_library(
    owner: User, queries: Sequence[ResolvedQuery], backends: Sequence[str], on_query: Callable[[], None] = lambda: None
) -> Evaluation:
    """Ask each query with every lexical backend: in the whole library, and in its video if it names one.

    Raise Refused with the name of a query that cannot be parsed.
    """
    measured: list[MeasuredQuery] = []
    notices: dict[str, None] = {}
    for backend in backends:
        with lexical_backends.use(backend):
            for query in queries:
                places = {LIBRARY: None} | ({VIDEO: query.video_id} if query.video_id else {})
                for place, video_id in places.items():
                    answer = _rank(owner, query, video_id)
                    measured.append(measure_answer(SearchScope(backend, place), query, answer))
                    notices |= dict.fromkeys(answer.notices)
                on_query()
    return Evaluation(len(queries), tuple(summarize(measured)), tuple(notices))


def _rank(owner: User, query: ResolvedQuery, video_id: UUID | None) -> RankedAnswer:
    try:
        return rank_query(owner, query.judged.text, video_id)
    except Refused as error:
        raise Refused(NOT_SEARCHED.format(id=query.judged.id, text=query.judged.text, reason=error)) from error


def evaluate_run(queries: Sequence[JudgedQuery], run: Mapping[str, Sequence[str]]) -> Evaluation:
    """Measure the rankings of a run, whose scenes are written as in the judgments. A query without a ranking measures 0."""
    measured = [
        MeasuredQuery(
            SearchScope("run", LIBRARY), query.query_class, {("mode", "run"): measure_ranking(run.get(query.id, ()), query.grades)}
        )
        for query in queries
    ]
    return Evaluation(len(queries), tuple(summarize(measured)))


def measure_answer(scope: SearchScope, query: ResolvedQuery, answer: RankedAnswer) -> MeasuredQuery:
    """Measure each ranking of an answer. Pure."""
    by_ranking: dict[tuple[Kind, str], Measures] = {}
    by_ranking.update({("mode", name): measure_ranking(ranking, query.grades) for name, ranking in answer.by_mode.items()})
    by_ranking.update({("channel", name): measure_ranking(ranking, query.grades) for name, ranking in answer.by_channel.items()})
    return MeasuredQuery(scope, query.judged.query_class, by_ranking)
