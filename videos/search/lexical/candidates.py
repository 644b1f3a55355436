"""Select the scenes that are ranked for a query: the part of a search for words in which backends differ."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQueryField, SearchRank
from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce

from heimdex.accounts.models import User
from videos.models import SceneWords
from videos.search.lexical.fields import FIELDS, Field, Lookup, WordCandidate, list_present
from videos.search.word_conditions import Matches

# Rows that are ranked exactly, per field.
MAX_CANDIDATES = 2000


class CandidateSource(ABC):
    """Knows in which scenes of one owner words are."""

    @abstractmethod
    def count_frequencies(self, lookups: Sequence[Lookup]) -> list[Lookup]:
        """Return the lookups with the number of the owner's scenes that hold each, per field."""

    @abstractmethod
    def select(self, rows: QuerySet[SceneWords], field: Field, lookups: Sequence[Lookup]) -> list[WordCandidate]:
        """Return the rows among `rows` that hold any of the words in a field, of which at least one is present.

        Beyond MAX_CANDIDATES, rows with none of the rarer words are left out.
        """


class PostgresCandidates(CandidateSource):
    """Looks words up in the database's index."""

    def __init__(self, owner_id: UUID) -> None:
        self._owner_id = owner_id

    def count_frequencies(self, lookups: Sequence[Lookup]) -> list[Lookup]:
        """Return the lookups with their frequencies, with one query that reads the index only for these words."""
        rows = SceneWords.objects.filter(owner_id=OuterRef("pk")).order_by().values("owner_id")
        counts = {
            f"{field.column}_{number}": Coalesce(Subquery(_count(rows.filter(Matches(field.column, lookup.query)))), 0)
            for number, lookup in enumerate(lookups)
            for field in FIELDS
        }
        row = User.objects.filter(pk=self._owner_id).annotate(**counts).values(*counts).first() or dict.fromkeys(counts, 0)
        return [
            replace(lookup, frequencies={field.column: row[f"{field.column}_{number}"] for field in FIELDS})
            for number, lookup in enumerate(lookups)
        ]

    def select(self, rows: QuerySet[SceneWords], field: Field, lookups: Sequence[Lookup]) -> list[WordCandidate]:
        """Return the rows with any of the rarest words, ordered by a rank of PostgreSQL's if even those are too many."""
        rarest = choose_rarest(lookups, field)
        matching = rows.filter(Matches(field.column, " | ".join(lookup.query for lookup in rarest)))
        if rarest[0].get_frequency(field) > MAX_CANDIDATES:
            query = Cast(Value(" | ".join(lookup.query for lookup in list_present(lookups, field))), SearchQueryField())
            rank = SearchRank(F(field.column), query, normalization=Value(1))
            matching = matching.order_by(rank.desc(), "video_id", "index")
        return read_candidates(matching[:MAX_CANDIDATES], field)


def choose_rarest(lookups: Sequence[Lookup], field: Field) -> list[Lookup]:
    """Return the rarest words that a field holds (at least one), as many as MAX_CANDIDATES allows. Pure."""
    rarest: list[Lookup] = []
    total = 0
    for lookup in sorted(list_present(lookups, field), key=lambda lookup: lookup.get_frequency(field)):
        total += lookup.get_frequency(field)
        if rarest and total > MAX_CANDIDATES:
            break
        rarest.append(lookup)
    return rarest


def read_candidates(rows: QuerySet[SceneWords], field: Field) -> list[WordCandidate]:
    """Read what the ranking in a field needs of some rows."""
    return [WordCandidate(*row) for row in rows.values_list("scene_id", "video_id", "index", field.length, field.column)]


def _count(rows: QuerySet[SceneWords, Any]) -> QuerySet[SceneWords, Any]:
    return rows.annotate(n=Count("pk")).values("n")
