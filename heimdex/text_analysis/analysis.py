"""Analyze texts into tokens and queries into terms, which match by equal words or equal stems."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from heimdex.text_analysis.languages import detect_language, normalize_code
from heimdex.text_analysis.normalization import fold, list_spellings
from heimdex.text_analysis.stemming import find_stems
from heimdex.text_analysis.stop_words import list_stop_words
from heimdex.text_analysis.tokenization import Span, iter_spans

# Raise it when a text gets other tokens than before: stored words of older versions are then written again.
ANALYSIS_VERSION = 1
# Longer words are cut; nobody types them (characters).
MAX_WORD_LENGTH = 64


class Token(NamedTuple):
    """A word of a text: its place in the sequence of words, its characters [start, end), and what it can be found by.

    `word` is the word as written, folded; `spellings` are other ways to write it (mueller for Müller). `stems` are its stems in the text's
    language, none for a stop word. In scripts without spaces each token is a pair of characters (see `tokenization`).
    """

    position: int
    start: int
    end: int
    word: str
    stems: tuple[str, ...]
    spellings: tuple[str, ...] = ()


class QueryTerm(NamedTuple):
    """A word of a query: its position and characters like those of a token, and what finds it in a text.

    A token matches exactly if its word or spellings are among `words`, and in any form if a stem is among `stems` too. With `is_prefix`
    (a single character of a script without spaces) a token's word need only begin with it. `is_stop_word` counts in the query's language.
    """

    position: int
    start: int
    end: int
    words: tuple[str, ...]
    stems: tuple[str, ...]
    is_stop_word: bool = False
    is_prefix: bool = False


def analyze_text(text: str, language: str) -> list[Token]:
    """Return the tokens of a text in a language (a code or tag; without a stemmer for it, tokens have no stems)."""
    code = normalize_code(language)
    stop_words = list_stop_words(code)
    tokens = []
    for span in iter_spans(text):
        raw, word = _read(text, span)
        if word:
            stems = find_stems(raw, code) if span.kind == "word" and word not in stop_words else ()
            tokens.append(Token(span.position, span.start, span.end, word, stems, list_spellings(raw)))
    return tokens


def analyze_query(text: str, languages: Sequence[str], *, own_language: str | None = None) -> list[QueryTerm]:
    """Return the terms of a query, with stems in its own language and in each of `languages`, those of the library that is searched.

    Its own language is detected unless it is given; with an empty one and no `languages`, terms have no stems.
    """
    codes = list(dict.fromkeys(normalize_code(language) for language in languages))
    own = detect_language(text, codes) if own_language is None else normalize_code(own_language)
    stop_words = list_stop_words(own)
    terms = []
    for span in _drop_last_characters(text):
        raw, word = _read(text, span)
        if word:
            stems = [stem for code in dict.fromkeys((own, *codes)) for stem in find_stems(raw, code)] if span.kind == "word" else []
            words = (word, *list_spellings(raw))
            unique = tuple(dict.fromkeys(stems))
            terms.append(QueryTerm(span.position, span.start, span.end, words, unique, word in stop_words, span.kind == "last"))
    return terms


def _read(text: str, span: Span) -> tuple[str, str]:
    raw = text[span.start : span.end][:MAX_WORD_LENGTH]
    return raw, fold(raw)[:MAX_WORD_LENGTH]


def _drop_last_characters(text: str) -> Iterator[Span]:
    """Yield the tokens of a query. The last character of a run is in the pair before it, unless it is alone."""
    previous = None
    for span in iter_spans(text):
        if not (span.kind == "last" and previous and previous.kind == "pair"):
            yield span
        previous = span
