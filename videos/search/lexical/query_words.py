"""Read a query: what its words look up, and with quotes or a minus sign the conditions that every answer meets."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import F, Func, Q

from heimdex.text_analysis import QueryTerm, analyze_query, detect_language, list_stop_words
from videos.models import VideoWords
from videos.search.lexical.lexemes import compose_related, get_owner_key, join_any, list_forms
from videos.search.lexical.vocabulary import COMPOUNDING, find_corrections, find_related
from videos.search.word_conditions import contains_phrase, contains_query, contains_word

MAX_QUERY_WORDS = 32
_PART = re.compile(r'(?P<excluded>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True)
class SearchTerm:
    """A word of a query, and what counts for it at a lower weight: compounds with it, its parts, or words that it is a mistyped form of."""

    term: QueryTerm
    related: tuple[str, ...] = ()
    corrections: tuple[QueryTerm, ...] = ()

    def list_lexemes(self, owner_key: str) -> tuple[list[str], list[str]]:
        """Return the quoted lexemes of the word, and those that count less."""
        corrected = [form for term in self.corrections for form in list_forms(owner_key, term)]
        return list_forms(owner_key, self.term), [*compose_related(owner_key, self.related), *corrected]


@dataclass(frozen=True)
class QueryWords:
    """The terms that rank scenes, conditions on scenes (of the owner) that hold exactly, and the corrections of words, as typed."""

    terms: tuple[SearchTerm, ...]
    conditions: Q
    corrections: Mapping[str, tuple[str, ...]]


def read_query(owner_id: UUID, text: str) -> QueryWords:
    """Return the words of a query, with corrections. With `"a phrase"` or `-word` in it, every part is a condition."""
    parts = list(_PART.finditer(text))
    wanted = _join_wanted(parts)
    reader = _Reader(owner_id, wanted)
    terms = reader.correct(reader.read_terms())
    conditions = Q()
    if any(match["excluded"] or match["phrase"] is not None for match in parts):
        for match in parts[:MAX_QUERY_WORDS]:
            if match["phrase"] is not None:
                condition = contains_phrase(owner_id, match["phrase"])
            else:
                condition = contains_word(owner_id, match["word"], languages=(reader.own_language, *reader.languages))
            conditions &= ~condition if match["excluded"] else condition
    corrections = {wanted[term.term.start : term.term.end]: tuple(word.words[0] for word in term.corrections) for term in terms}
    return QueryWords(terms, conditions, {typed: words for typed, words in corrections.items() if words})


def read_marked_terms(owner_id: UUID, text: str, corrected: Collection[str] = ()) -> tuple[SearchTerm, ...]:
    """Return what excerpts mark for a query whose words were corrected to some further ones."""
    reader = _Reader(owner_id, _join_wanted(_PART.finditer(text)))
    return (*reader.read_terms(), *(SearchTerm(term) for term in reader.analyze(corrected)))


def contains_any(owner_id: UUID, text: str, field: str) -> Q:
    """Match an owner's scenes in which a field contains anything that a text without operators searches for."""
    reader = _Reader(owner_id, text)
    key = get_owner_key(owner_id)
    lexemes = [lexeme for term in reader.correct(reader.read_terms()) for part in term.list_lexemes(key) for lexeme in part]
    return contains_query(owner_id, join_any(lexemes) if lexemes else "", (field,))


class _Reader:
    """Reads the words of a text without operators, in its own language and in those of an owner's library."""

    def __init__(self, owner_id: UUID, text: str) -> None:
        self._owner_id = owner_id
        self._text = text
        self.languages = list_languages(owner_id)
        self.own_language = detect_language(text, self.languages)

    def read_terms(self) -> tuple[SearchTerm, ...]:
        """Return the words. Stop words count only if nothing else is left."""
        terms = analyze_query(self._text, self.languages, own_language=self.own_language)[:MAX_QUERY_WORDS]
        terms = [term for term in terms if not term.is_stop_word] or terms
        if not COMPOUNDING & {self.own_language, *self.languages}:
            return tuple(SearchTerm(term) for term in terms)
        related = find_related(self._owner_id, {form for term in terms for form in (*term.words, *term.stems)})
        return tuple(_add_related(term, related) for term in terms)

    def correct(self, terms: Sequence[SearchTerm]) -> tuple[SearchTerm, ...]:
        """Return the terms, those that are in no text of the owner with the words that they are a mistyped form of."""
        forms = {term.term.words[0]: (*term.term.words, *term.term.stems) for term in terms if not _is_in_compound(term)}
        stop_words = [list_stop_words(code) for code in (self.own_language, *self.languages)]
        corrections = find_corrections(self._owner_id, forms, frozenset().union(*stop_words))
        return tuple(replace(term, corrections=self.analyze(corrections.get(term.term.words[0], ()))) for term in terms)

    def analyze(self, words: Collection[str]) -> tuple[QueryTerm, ...]:
        """Return the terms of words, or of stems, that a query was corrected to."""
        terms = analyze_query(" ".join(words), self.languages, own_language=self.own_language)
        return tuple(term._replace(stems=(*term.stems, *term.words)) for term in terms)


def list_languages(owner_id: UUID) -> list[str]:
    """Return the languages of an owner's texts."""
    languages = VideoWords.objects.filter(owner_id=owner_id).annotate(language=Func(F("languages"), function="unnest"))
    return sorted(languages.order_by().values_list("language", flat=True).distinct())


def _add_related(term: QueryTerm, related: Mapping[str, Sequence[str]]) -> SearchTerm:
    forms = (*term.words, *term.stems)
    words = dict.fromkeys(word for form in forms for word in related.get(form, ()) if word not in forms)
    return SearchTerm(term, tuple(words))


def _is_in_compound(term: SearchTerm) -> bool:
    """Return whether the word is part of a longer word of the owner, so that it is no mistyped one."""
    return any(len(word) > len(term.term.words[0]) for word in term.related)


def _join_wanted(parts: Iterable[re.Match[str]]) -> str:
    return " ".join(match["phrase"] or match["word"] or "" for match in parts if not match["excluded"])
