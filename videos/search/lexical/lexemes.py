"""Write analyzed words in PostgreSQL's forms: texts of tsvector and tsquery. Pure.

A lexeme is the owner's key followed by a word, or by "~" and a stem, at the position of the word. PostgreSQL's own parsers and
dictionaries are not used.
"""

import base64
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

import regex

from heimdex.text_analysis import UNSPACED, QueryTerm, Token
from heimdex.text_analysis.analysis import MAX_WORD_LENGTH

# 50 bits: among a million owners, two have the same key with a probability of 1 in 2,000, which costs time and finds nothing of the other.
KEY_LENGTH = 10
STEM_MARK = "~"
# PostgreSQL's limits: later positions count as the last one, a lexeme keeps 255 positions, and all lexemes of a vector have 1 MB.
MAX_POSITION = 16_383
MAX_POSITIONS = 255
MAX_BYTES = 1_000_000
# Words of letters, and their stems. Pairs of characters are no words.
_VOCABULARY = rf"{STEM_MARK}?[[\p{{L}}\p{{M}}]--{UNSPACED}]{{1,{MAX_WORD_LENGTH}}}"
_IS_VOCABULARY = regex.compile(rf"(?V1){_VOCABULARY}")
_VOCABULARY_IN_VECTOR = regex.compile(rf"(?V1)'[a-z2-7]{{{KEY_LENGTH}}}({_VOCABULARY})':")


def get_owner_key(owner_id: UUID) -> str:
    """Return the prefix of an owner's lexemes."""
    return base64.b32encode(owner_id.bytes).decode().lower()[:KEY_LENGTH]


def compose_vector(owner_key: str, tokens: Iterable[Token]) -> str:
    """Return the text of a tsvector with the words, spellings and stems of some tokens, as many as PostgreSQL's limits allow."""
    positions: defaultdict[str, list[int]] = defaultdict(list)
    size = 0
    for token in tokens:
        position = min(token.position + 1, MAX_POSITION)
        for lexeme in (token.word, *token.spellings, *(STEM_MARK + stem for stem in token.stems)):
            if lexeme not in positions:
                # PostgreSQL aligns positions to two bytes.
                size += KEY_LENGTH + len(lexeme.encode()) + 4
                if size > MAX_BYTES:
                    return _join(owner_key, positions)
            known = positions[lexeme]
            if len(known) < MAX_POSITIONS and (not known or known[-1] != position):
                known.append(position)
                size += 2
    return _join(owner_key, positions)


def is_vocabulary(lexeme: str) -> bool:
    """Return whether a lexeme without its owner's key is a word of letters, or a stem of one after its mark."""
    return bool(_IS_VOCABULARY.fullmatch(lexeme))


def find_vocabulary(vector: str) -> list[str]:
    """Return the words and stems, without their owner's key, of a text of a tsvector, as composed or as stored."""
    matches: list[str] = _VOCABULARY_IN_VECTOR.findall(vector)
    return matches


def compose_exact(owner_key: str, term: QueryTerm) -> str:
    """Return the text of a tsquery that matches a term as it is written, in any spelling."""
    return join_any(_list_words(owner_key, term))


def compose_any_form(owner_key: str, term: QueryTerm) -> str:
    """Return the text of a tsquery that matches a term in any form."""
    return join_any(list_forms(owner_key, term))


def list_forms(owner_key: str, term: QueryTerm) -> list[str]:
    """Return the quoted lexemes of a term in any form. One that ends with ":*" is a prefix."""
    return [*_list_words(owner_key, term), *(_quote(owner_key + STEM_MARK + stem) for stem in term.stems)]


def join_any(lexemes: Sequence[str]) -> str:
    """Return the text of a tsquery that matches any of some quoted lexemes (at least one)."""
    return lexemes[0] if len(lexemes) == 1 else f"({' | '.join(lexemes)})"


def compose_related(owner_key: str, words: Iterable[str]) -> list[str]:
    """Return the quoted lexemes of words of an owner's vocabulary, each as a word and as a stem."""
    return [_quote(owner_key + mark + word) for word in words for mark in ("", STEM_MARK)]


def split_lexeme(quoted: str) -> tuple[str, bool]:
    """Return the word of a quoted lexeme, without its owner's key, and whether it is a stem."""
    lexeme = quoted.removesuffix(":*")[1 + KEY_LENGTH : -1].replace("''", "'").replace("\\\\", "\\")
    return lexeme.removeprefix(STEM_MARK), lexeme.startswith(STEM_MARK)


def count_positions(vector: str, lexemes: Iterable[str]) -> int:
    """Return how often a text of a tsvector holds the most frequent of some quoted lexemes. With ":*" at its end, one counts as a prefix.

    The forms of a word share its positions, so the most frequent lexeme tells how often the word occurs.
    """
    return max((_count_prefix(vector, lexeme[:-3]) if lexeme.endswith(":*") else _count(vector, lexeme) for lexeme in lexemes), default=0)


def _count(vector: str, lexeme: str) -> int:
    start = vector.find(f"{lexeme}:")
    if start < 0:
        return 0
    start += len(lexeme)
    end = vector.find(" ", start)
    return vector.count(",", start, end if end >= 0 else len(vector)) + 1


def _count_prefix(vector: str, start: str) -> int:
    return sum(places.count(",") + 1 for places in re.findall(rf"{re.escape(start)}[^']*':([\d,]+)", vector))


def compose_sequence(queries: Sequence[str], terms: Sequence[QueryTerm]) -> str:
    """Return the text of a tsquery that matches the queries of some terms (at least one), as far apart as in the query."""
    sequence = queries[0]
    for query, before, term in zip(queries[1:], terms, terms[1:], strict=False):
        sequence += f" <{term.position - before.position}> {query}"
    return sequence


def _list_words(owner_key: str, term: QueryTerm) -> list[str]:
    return [_quote(owner_key + word) + (":*" if term.is_prefix else "") for word in term.words]


def _join(owner_key: str, positions: dict[str, list[int]]) -> str:
    return " ".join(f"{_quote(owner_key + lexeme)}:{','.join(map(str, places))}" for lexeme, places in positions.items())


def _quote(lexeme: str) -> str:
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
