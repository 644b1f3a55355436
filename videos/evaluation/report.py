"""Summarize the measures of many queries: means with intervals, by backend, scope, class of query, mode and channel. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from videos.evaluation.bootstrap import Estimate, estimate_difference, estimate_mean
from videos.evaluation.judgments import NO_CLASS
from videos.evaluation.measures import Measures

Kind = Literal["mode", "channel"]
# The mode that search answers with.
FUSION = "fusion"
_NOTHING = Measures(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class SearchScope:
    """What was searched, and how: the alias of the lexical backend, and `library` or `video`."""

    backend: str
    place: str


@dataclass(frozen=True)
class MeasuredQuery:
    """The measures of a query, by kind and name of the ranking. A channel that found nothing has none."""

    scope: SearchScope
    query_class: str
    by_ranking: Mapping[tuple[Kind, str], Measures]


@dataclass(frozen=True)
class SummaryRow:
    """One ranking over the queries of a scope and class. `estimates` are by the name of the measure.

    With `against`, they are differences: `name` minus the channel `against`.
    """

    scope: SearchScope
    query_class: str
    kind: Kind
    name: str
    queries: int
    estimates: Mapping[str, Estimate]
    against: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return the row as JSON data."""
        data = {
            **asdict(self.scope),
            "class": self.query_class,
            self.kind: self.name,
            **({"minus": self.against} if self.against else {}),
            "queries": self.queries,
        }
        return data | {name: asdict(estimate) for name, estimate in self.estimates.items()}


def summarize(queries: Sequence[MeasuredQuery]) -> list[SummaryRow]:
    """Summarize the queries of each scope, all together and then by class, in the order of the queries."""
    rows: list[SummaryRow] = []
    for scope in dict.fromkeys(query.scope for query in queries):
        of_scope = [query for query in queries if query.scope == scope]
        classes = dict.fromkeys(query.query_class for query in of_scope)
        rows += _summarize_class(scope, NO_CLASS, of_scope)
        for name in [name for name in classes if name != NO_CLASS]:
            rows += _summarize_class(scope, name, [query for query in of_scope if query.query_class == name])
    return rows


def find_best_channel(rows: Iterable[SummaryRow]) -> SummaryRow | None:
    """Return the channel with the highest nDCG@10, of equal ones the first by name. None without channels."""
    channels = [row for row in rows if row.kind == "channel"]
    return min(channels, key=lambda row: (-row.estimates["ndcg_10"].mean, row.name), default=None)


def _summarize_class(scope: SearchScope, query_class: str, queries: Sequence[MeasuredQuery]) -> list[SummaryRow]:
    keys = dict.fromkeys(key for query in queries for key in query.by_ranking)
    modes = [key for key in keys if key[0] == "mode"]
    channels = sorted(key for key in keys if key[0] == "channel")
    rows = [SummaryRow(scope, query_class, *key, len(queries), _estimate(queries, key)) for key in (*modes, *channels)]
    best = find_best_channel(rows)
    if best is not None and ("mode", FUSION) in keys:
        differences = {
            field.name: estimate_difference(
                _list_values(queries, ("mode", FUSION), field.name), _list_values(queries, (best.kind, best.name), field.name)
            )
            for field in fields(Measures)
        }
        rows.append(SummaryRow(scope, query_class, "mode", FUSION, len(queries), differences, against=best.name))
    return rows


def _estimate(queries: Sequence[MeasuredQuery], key: tuple[Kind, str]) -> dict[str, Estimate]:
    return {field.name: estimate_mean(_list_values(queries, key, field.name)) for field in fields(Measures)}


def _list_values(queries: Sequence[MeasuredQuery], key: tuple[Kind, str], name: str) -> list[float]:
    return [float(getattr(query.by_ranking.get(key, _NOTHING), name)) for query in queries]
