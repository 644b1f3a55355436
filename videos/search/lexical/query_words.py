"""Read a query: what its words look up, and with quotes or a minus sign the conditions that every answer meets."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Func, Q

from heimdex.text_analysis import QueryTerm, analyze_query, detect_language
from videos.models import VideoWords
from videos.search.lexical.vocabulary import COMPOUNDING, find_related
from videos.search.word_conditions import contains_phrase, contains_word

MAX_QUERY_WORDS = 32
_PART = re.compile(r'(?P<excluded>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True)
class SearchTerm:
    """A word of a query, and words of the owner that count for it at a lower weight: compounds with it, its parts, or corrections."""

    term: QueryTerm
    related: tuple[str, ...] = ()


@dataclass(frozen=True)
class QueryWords:
    """The terms that rank scenes, and conditions on scenes (of the owner) that hold exactly."""

    terms: tuple[SearchTerm, ...]
    conditions: Q


def read_query(owner_id: UUID, text: str) -> QueryWords:
    """Return the words of a query. With `"a phrase"` or `-word` in it, every part is a condition."""
    parts = list(_PART.finditer(text))
    languages = list_languages(owner_id)
    wanted = " ".join(match["phrase"] or match["word"] or "" for match in parts if not match["excluded"])
    own = detect_language(wanted, languages)
    terms = read_terms(owner_id, wanted, own, languages)
    conditions = Q()
    if any(match["excluded"] or match["phrase"] is not None for match in parts):
        for match in parts[:MAX_QUERY_WORDS]:
            if match["phrase"] is not None:
                condition = contains_phrase(owner_id, match["phrase"])
            else:
                condition = contains_word(owner_id, match["word"], languages=(own, *languages))
            conditions &= ~condition if match["excluded"] else condition
    return QueryWords(terms, conditions)


def read_terms(owner_id: UUID, text: str, own_language: str, languages: Sequence[str]) -> tuple[SearchTerm, ...]:
    """Return the words of a text without operators, in the languages of the library. Stop words count only if nothing else is left."""
    terms = analyze_query(text, languages, own_language=own_language)[:MAX_QUERY_WORDS]
    terms = [term for term in terms if not term.is_stop_word] or terms
    if not COMPOUNDING & {own_language, *languages}:
        return tuple(SearchTerm(term) for term in terms)
    related = find_related(owner_id, {form for term in terms for form in (*term.words, *term.stems)})
    return tuple(_add_related(term, related) for term in terms)


def list_languages(owner_id: UUID) -> list[str]:
    """Return the languages of an owner's texts."""
    languages = VideoWords.objects.filter(owner_id=owner_id).annotate(language=Func(F("languages"), function="unnest"))
    return sorted(languages.order_by().values_list("language", flat=True).distinct())


def _add_related(term: QueryTerm, related: Mapping[str, Sequence[str]]) -> SearchTerm:
    forms = (*term.words, *term.stems)
    words = dict.fromkeys(word for form in forms for word in related.get(form, ()) if word not in forms)
    return SearchTerm(term, tuple(words))
