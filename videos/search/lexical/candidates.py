"""Select the scenes that are ranked for a query: the part of a search for words in which backends differ."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQueryField, SearchRank
from django.db.models import F, Func, IntegerField, QuerySet, Value
from django.db.models.functions import Cast

from heimdex.accounts.models import User
from videos.models import OwnerWord, SceneWords
from videos.search.lexical.fields import FIELDS, Field, Lookup, WordCandidate, list_present
from videos.search.lexical.lexemes import split_lexeme
from videos.search.word_conditions import Matches

# Rows that are ranked exactly, per field.
MAX_CANDIDATES = 2000
# Rows among which PostgreSQL chooses those, where all of a query's words are frequent.
MAX_RANKED = 10_000


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
        """Return the lookups with their frequencies, with one query that reads the index only for these words, or two.

        Scenes are counted up to MAX_CANDIDATES. Then the words of letters count as often as any text of the owner holds them.
        """
        counts = {
            f"{field.column}_{number}": _count_some(SceneWords.objects.filter(Matches(field.column, lookup.query)))
            for number, lookup in enumerate(lookups)
            for field in FIELDS
        }
        row = User.objects.filter(pk=self._owner_id).values(**counts).first() or dict.fromkeys(counts, 0)
        counted = [{field.column: row[f"{field.column}_{number}"] for field in FIELDS} for number in range(len(lookups))]
        known = self._load_counts(lookup for lookup, by_field in zip(lookups, counted, strict=True) if _is_frequent(by_field))
        return [
            replace(lookup, frequencies=estimate_frequencies(by_field, max((known.get(form, 0) for form in lookup.forms), default=0)))
            for lookup, by_field in zip(lookups, counted, strict=True)
        ]

    def _load_counts(self, lookups: Iterable[Lookup]) -> dict[str, int]:
        """Return in how many texts of the owner each form of the lookups is, by the quoted lexeme."""
        forms = {form: split_lexeme(form) for lookup in lookups for form in lookup.forms}
        if not forms:
            return {}
        rows = OwnerWord.objects.filter(owner_id=self._owner_id, word__in={word for word, _ in forms.values()})
        by_word = {word: counts for word, *counts in rows.values_list("word", "word_count", "stem_count")}
        return {form: by_word[word][is_stem] for form, (word, is_stem) in forms.items() if word in by_word}

    def select(self, rows: QuerySet[SceneWords], field: Field, lookups: Sequence[Lookup]) -> list[WordCandidate]:
        """Return the rows with any of the rarest words. If even those are too many, those with every word come first."""
        rarest = choose_rarest(lookups, field)
        matching = rows.filter(Matches(field.column, " | ".join(lookup.query for lookup in rarest)))
        if rarest[0].get_frequency(field) <= MAX_CANDIDATES:
            return read_candidates(matching[:MAX_CANDIDATES], field)
        every = " & ".join(lookup.query for lookup in list_present(lookups, field))
        candidates = read_candidates(_take_best(rows, field, every), field)
        known = {candidate.scene_id for candidate in candidates}
        others = read_candidates(matching[:MAX_CANDIDATES], field) if len(known) < MAX_CANDIDATES else []
        return [*candidates, *(other for other in others if other.scene_id not in known)][:MAX_CANDIDATES]


def _take_best(rows: QuerySet[SceneWords], field: Field, query: str) -> QuerySet[SceneWords]:
    """Return the MAX_CANDIDATES rows that rank highest among the first MAX_RANKED that match a query."""
    first = rows.filter(Matches(field.column, query)).order_by().values("pk")[:MAX_RANKED]
    rank = SearchRank(F(field.column), Cast(Value(query), SearchQueryField()), normalization=Value(1))
    return SceneWords.objects.filter(pk__in=first).order_by(rank.desc(), "video_id", "index")[:MAX_CANDIDATES]


def estimate_frequencies(counted: Mapping[str, int], texts: int) -> dict[str, int]:
    """Return the frequencies by field: as counted, or, beyond MAX_CANDIDATES, the number of `texts` if that is higher. Pure."""
    return {column: count if count <= MAX_CANDIDATES else max(count, texts) for column, count in counted.items()}


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


def _is_frequent(counted: Mapping[str, int]) -> bool:
    return any(count > MAX_CANDIDATES for count in counted.values())


def _count_some(rows: QuerySet[SceneWords, Any]) -> "Func[Any]":
    """Count rows up to one more than MAX_CANDIDATES.

    The lexemes alone select the rows of an owner. With the owner as another condition, the database would also read all of the owner's
    rows.
    """
    some = ArraySubquery(rows.order_by().values("pk")[: MAX_CANDIDATES + 1])
    return Func(some, function="cardinality", output_field=IntegerField())
