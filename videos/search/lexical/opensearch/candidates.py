"""Find the candidates of a search in OpenSearch. What it returns is read again from the database, so that no other row is ever ranked."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from opensearchpy import OpenSearch

from videos.models import SceneWords
from videos.search.lexical.base import LexicalQuery
from videos.search.lexical.bm25 import compute_idf
from videos.search.lexical.candidates import MAX_CANDIDATES, CandidateSource, choose_rarest, read_candidates
from videos.search.lexical.fields import FIELDS, RELATED_WEIGHT, Field, Lookup, WordCandidate, list_present
from videos.search.lexical.opensearch.connection import SEARCH_TIMEOUT_S, SearchConnection, SearchServerAway
from videos.search.lexical.opensearch.index_schema import IndexNames, get_routing, unquote
from videos.search.word_conditions import Matches

# A restriction to more scenes than this is left to the database; then further pages of candidates are read, at most so many.
MAX_RESTRICTED = 10_000
MAX_PAGES = 10
# A search does not wait longer for all its requests together (seconds).
_TOTAL_S = 2 * SEARCH_TIMEOUT_S
_PREFIX_MARK = ":*"


class OpenSearchCandidates(CandidateSource):
    """Looks words up in OpenSearch, except in `pending` scenes, whose documents may be older than their words."""

    def __init__(
        self, connection: SearchConnection, client: OpenSearch, names: IndexNames, query: LexicalQuery, pending: Collection[UUID]
    ) -> None:
        self._connection = connection
        self._client = client
        self._names = names
        self._owner_id = query.owner_id
        self._pending = list(pending)
        self._deadline = monotonic() + _TOTAL_S
        self._filters = self._build_filters(query)
        self._scenes = 0

    def count_frequencies(self, lookups: Sequence[Lookup]) -> list[Lookup]:
        """Return the lookups with their frequencies: those of the documents, and those of the pending rows."""
        names = [(number, field) for number in range(len(lookups)) for field in FIELDS]
        filters = {f"{field.column}_{number}": build_any_form(field, lookups[number]) for number, field in names}
        query = {"bool": {"filter": self._build_owner_filter(), "must_not": self._build_exclusion()}}
        answer = self._search({"size": 0, "track_total_hits": True, "query": query, "aggs": {"words": {"filters": {"filters": filters}}}})
        self._scenes = answer["hits"]["total"]["value"] + len(self._pending)
        counts = {name: bucket["doc_count"] for name, bucket in answer["aggregations"]["words"]["buckets"].items()}
        for name, count in self._count_pending(lookups).items():
            counts[name] += count
        return [
            replace(lookup, frequencies={field.column: counts[f"{field.column}_{number}"] for field in FIELDS})
            for number, lookup in enumerate(lookups)
        ]

    def select(self, rows: QuerySet[SceneWords], field: Field, lookups: Sequence[Lookup]) -> list[WordCandidate]:
        """Return the rows with any of the rarest words; if even those are too many, those with the highest BM25 in OpenSearch."""
        rarest = choose_rarest(lookups, field)
        candidates = self._read(rows, field, rarest, self._pending)
        for scene_ids in self._iter_pages(field, rarest, list_present(lookups, field)):
            candidates += self._read(rows, field, rarest, scene_ids)
            if len(candidates) >= MAX_CANDIDATES:
                break
        return candidates[:MAX_CANDIDATES]

    def _read(self, rows: QuerySet[SceneWords], field: Field, lookups: Sequence[Lookup], scene_ids: Sequence[UUID]) -> list[WordCandidate]:
        """Return the rows of some scenes that hold any of the words, whatever their documents hold, in the order of the scenes."""
        if not scene_ids:
            return []
        read = {row.scene_id: row for row in read_candidates(rows.filter(pk__in=scene_ids), field)}
        ordered = (read[scene_id] for scene_id in scene_ids if scene_id in read)
        return [row for row in ordered if any(lookup.count(row.vector) for lookup in lookups)]

    def _iter_pages(self, field: Field, rarest: Sequence[Lookup], present: Sequence[Lookup]) -> Iterator[list[UUID]]:
        """Yield pages of scenes whose documents hold any of the rarest words, those of the highest score first."""
        any_word = _build_any(field, [lexeme for lookup in rarest for lexeme in (*lookup.forms, *lookup.related)])
        scored = [build_score(field, lookup, compute_idf(self._scenes, lookup.get_frequency(field))) for lookup in present]
        query = {"bool": {"filter": [*self._filters, any_word], "must_not": self._build_exclusion(), "should": scored}}
        body: dict[str, Any] = {
            "size": MAX_CANDIDATES,
            "query": query,
            "_source": False,
            "track_total_hits": False,
            "sort": [{"_score": "desc"}, {"video": "asc"}, {"index": "asc"}],
        }
        for _ in range(MAX_PAGES):
            hits = self._search(body)["hits"]["hits"]
            yield [UUID(hit["_id"]) for hit in hits]
            if len(hits) < MAX_CANDIDATES:
                return
            body["search_after"] = hits[-1]["sort"]

    def _search(self, body: dict[str, Any]) -> Any:
        left_s = self._deadline - monotonic()
        if left_s <= 0:
            raise SearchServerAway("OpenSearch answers too slowly: look at its load.")
        params = {
            "routing": get_routing(self._owner_id),
            "request_timeout": min(left_s, SEARCH_TIMEOUT_S),
            # Half an answer would be taken for a whole one.
            "allow_partial_search_results": "false",
        }
        with self._connection.explained():
            return self._client.search(index=self._names.alias, body=body, params=params)

    def _count_pending(self, lookups: Sequence[Lookup]) -> dict[str, int]:
        if not self._pending:
            return {}
        counts = {
            f"{field.column}_{number}": Count("pk", filter=Q(Matches(field.column, lookup.query)))
            for number, lookup in enumerate(lookups)
            for field in FIELDS
        }
        return SceneWords.objects.filter(pk__in=self._pending, owner_id=self._owner_id).aggregate(**counts)

    def _build_owner_filter(self) -> list[dict[str, Any]]:
        return [{"term": {"owner": str(self._owner_id)}}]

    def _build_exclusion(self) -> list[dict[str, Any]]:
        return [{"terms": {"scene": [str(scene_id) for scene_id in self._pending]}}] if self._pending else []

    def _build_filters(self, query: LexicalQuery) -> list[dict[str, Any]]:
        filters = self._build_owner_filter()
        if query.video_id is not None:
            filters.append({"term": {"video": str(query.video_id)}})
        if query.scenes is not None:
            scene_ids = list(query.scenes.order_by().values_list("pk", flat=True)[: MAX_RESTRICTED + 1])
            if len(scene_ids) <= MAX_RESTRICTED:
                filters.append({"terms": {"scene": [str(scene_id) for scene_id in scene_ids]}})
        return filters


def split_forms(lexemes: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words among quoted lexemes, and the prefixes, as the index holds them. Pure."""
    words = [unquote(lexeme[1:-1]) for lexeme in lexemes if not lexeme.endswith(_PREFIX_MARK)]
    prefixes = [unquote(lexeme[1 : -1 - len(_PREFIX_MARK)]) for lexeme in lexemes if lexeme.endswith(_PREFIX_MARK)]
    return words, prefixes


def build_any_form(field: Field, lookup: Lookup) -> dict[str, Any]:
    """Return a query for the documents with any form of a word. Pure."""
    return _build_any(field, [*lookup.forms, *lookup.related])


def build_score(field: Field, lookup: Lookup, idf: float) -> dict[str, Any]:
    """Return a query that scores documents by the form of a word that counts most. Prefixes and related words count as `idf`. Pure."""
    words, prefixes = split_forms(lookup.forms)
    queries: list[dict[str, Any]] = [{"term": {field.column: word}} for word in words]
    if prefixes:
        queries.append({"constant_score": {"filter": _build_any_prefix(field, prefixes), "boost": idf}})
    if lookup.related:
        queries.append({"constant_score": {"filter": _build_any(field, lookup.related), "boost": RELATED_WEIGHT * idf}})
    return {"dis_max": {"queries": queries}}


def _build_any(field: Field, lexemes: Sequence[str]) -> dict[str, Any]:
    words, prefixes = split_forms(lexemes)
    any_word = {"terms": {field.column: words}}
    return {"bool": {"should": [any_word, _build_any_prefix(field, prefixes)]}} if prefixes else any_word


def _build_any_prefix(field: Field, prefixes: Sequence[str]) -> dict[str, Any]:
    return {"bool": {"should": [{"prefix": {field.column: prefix}} for prefix in prefixes]}}
