"""Cut excerpts out of texts, with the matching words marked, from the places of tokens. Pure."""

import html
from collections.abc import Iterable, Sequence

from heimdex.text_analysis import Token
from videos.search.lexical.base import Excerpt, Mark
from videos.search.lexical.query_words import SearchTerm

# Shorter texts are shown whole (characters).
MAX_WHOLE_LENGTH = 300
MAX_FRAGMENTS = 2
# Words of a fragment, and how many of them come before its first match. Without a match, the first words are shown.
FRAGMENT_WORDS = 30
WORDS_BEFORE = 10
WORDS_WITHOUT_MATCH = 10


def list_matches(tokens: Sequence[Token], terms: Sequence[SearchTerm]) -> list[int]:
    """Return the places in `tokens` of those that a query's terms match."""
    related = {word for term in terms for word in term.related}
    every = [term for search_term in terms for term in (search_term.term, *search_term.corrections)]
    words = related.union(*(term.words for term in every))
    stems = related.union(*(term.stems for term in every))
    prefixes = tuple(term.words[0] for term in every if term.is_prefix)
    return [
        place
        for place, token in enumerate(tokens)
        if words & {token.word, *token.spellings} or stems & set(token.stems) or (prefixes and token.word.startswith(prefixes))
    ]


def build_excerpt(text: str, tokens: Sequence[Token], matches: Sequence[int]) -> Excerpt:
    """Return the excerpt of a text, and where all its matches are."""
    spans = _join_spans(tokens[match] for match in matches)
    return Excerpt(_render(text, tokens, matches), tuple(Mark(start, text[start:end]) for start, end in spans))


def _render(text: str, tokens: Sequence[Token], matches: Sequence[int]) -> str:
    """Return a text, or two fragments of a long one, as HTML: matches within <mark>, "…" where words are omitted, all else escaped."""
    if len(text) <= MAX_WHOLE_LENGTH or not tokens:
        return _mark(text, 0, len(text), tokens, matches).strip()
    parts = []
    for first, beyond in _choose_fragments(len(tokens), matches):
        start = 0 if first == 0 else tokens[first].start
        end = len(text) if beyond == len(tokens) else tokens[beyond - 1].end
        parts.append(("" if first == 0 else "… ") + _mark(text, start, end, tokens, matches).strip())
        is_whole = beyond == len(tokens)
    return " ".join(parts) + ("" if is_whole else " …")


def _choose_fragments(count: int, matches: Sequence[int]) -> list[tuple[int, int]]:
    """Return ranges of tokens around the first matches, in order and apart from each other."""
    if not matches:
        return [(0, min(count, WORDS_WITHOUT_MATCH))]
    fragments: list[tuple[int, int]] = []
    for match in matches:
        if fragments and match < fragments[-1][1]:
            continue
        if len(fragments) == MAX_FRAGMENTS:
            break
        first = max(fragments[-1][1] if fragments else 0, min(match - WORDS_BEFORE, count - FRAGMENT_WORDS), 0)
        fragments.append((first, min(count, first + FRAGMENT_WORDS)))
    return fragments


def _mark(text: str, start: int, end: int, tokens: Sequence[Token], matches: Sequence[int]) -> str:
    parts = []
    place = start
    for first, beyond in _join_spans(tokens[match] for match in matches if tokens[match].end > start and tokens[match].start < end):
        parts.append(html.escape(text[place:first]) + f"<mark>{html.escape(text[first:beyond])}</mark>")
        place = beyond
    return "".join(parts) + html.escape(text[place:end])


def _join_spans(tokens: Iterable[Token]) -> list[tuple[int, int]]:
    """Return the characters of matching tokens as ranges. Pairs of characters overlap, and a run of them is one match."""
    spans: list[tuple[int, int]] = []
    for token in tokens:
        if spans and token.start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], token.end))
        else:
            spans.append((token.start, token.end))
    return spans
