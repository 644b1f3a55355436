"""Find the words of a text, with their positions in it.

Scripts that are written without spaces (and Korean, whose particles follow nouns without one) have no words that are known without a
dictionary. Each of their characters begins a token of two characters; the last character of a run is a token of its own, so that a search
for a single character finds the tokens that begin with it. This is what Lucene's CJKBigramFilter does, with the last character added.
"""

from collections.abc import Iterator
from typing import NamedTuple

import regex

# A set of characters for a regular expression.
UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ーｰﾞﾟ]"
# Marks belong to the letter before them. Soft hyphens and joiners are invisible within words.
_IN_WORD = rf"[[\p{{L}}\p{{N}}\p{{M}}\u00ad\u200c\u200d]--{UNSPACED}]"
_PICTOGRAPH = r"\p{Extended_Pictographic}[\ufe0f\U0001f3fb-\U0001f3ff]*"
_PATTERN = regex.compile(
    rf"""(?V1x)
    (?P<emoji> {_PICTOGRAPH} (?:\u200d{_PICTOGRAPH})* | [\U0001f1e6-\U0001f1ff]{{2}} )
    | (?P<number> \p{{Nd}}+ (?:[.,]\p{{Nd}}+)+ (?!{_IN_WORD}) )
    | (?P<code> \p{{L}}+ (?: \+\+ | \#(?!{_IN_WORD}) ) )
    | (?P<unspaced> (?:{UNSPACED}[\p{{M}}\u200c\u200d]*)+ )
    | (?P<word> [[\p{{L}}\p{{N}}]--{UNSPACED}] {_IN_WORD}* )
    """
)
_CHARACTER = regex.compile(r"\X")


class Span(NamedTuple):
    """A token: its characters [start, end) of the text, its position in the sequence of tokens, and its kind.

    `pair` and `last` are parts of a run without spaces; `symbol` is an emoji, a number with separators or a name like C++.
    """

    position: int
    start: int
    end: int
    kind: str


def iter_spans(text: str) -> Iterator[Span]:
    """Yield the tokens of a text, in order."""
    position = 0
    for match in _PATTERN.finditer(text):
        if match.lastgroup == "unspaced":
            starts = [match.start() + character.start() for character in _CHARACTER.finditer(match[0])]
            ends = [*starts[1:], match.end()]
            for start, end in zip(starts, ends[1:], strict=False):
                yield Span(position, start, end, "pair")
                position += 1
            yield Span(position, starts[-1], ends[-1], "last")
        else:
            yield Span(position, match.start(), match.end(), "word" if match.lastgroup == "word" else "symbol")
        position += 1
