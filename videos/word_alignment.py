"""Align the words of an edited transcript with the transcribed words, so that they keep their times. Pure."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from heimdex.speech.words import join_words, split_words
from videos.embedding_texts import Word

# Below this share of common words (as difflib's ratio counts it) the new text is unrelated and gets no times.
MIN_COMMON_RATIO = 0.5
# The comparison takes time in proportion to the product of both lengths. Longer parts count as replaced.
MAX_COMPARED_WORDS = 2000


class _Block(NamedTuple):
    """A part of both texts, equal or not: words `old_start` to before `old_end`, and words `new_start` to before `new_end`."""

    is_equal: bool
    old_start: int
    old_end: int
    new_start: int
    new_end: int


def align_words(words: Sequence[Word], text: str) -> list[Word]:
    """Return the words of `text` with times. Unchanged words keep their times; the words between them share the time that is left.

    Return an empty list when the text has too little in common with `words`.
    """
    if text.split() == join_words(word for _, _, word in words).split():
        return list(words)
    words = [part for word in words for part in _split_word(*word)]
    new, old = split_words(text), [word for _, _, word in words]
    blocks = _match_blocks(old, new)
    common = sum(block.old_end - block.old_start for block in blocks if block.is_equal)
    if 2 * common < MIN_COMMON_RATIO * (len(old) + len(new)):
        return []
    aligned: list[Word] = []
    for block in blocks:
        texts = new[block.new_start : block.new_end]
        if block.is_equal:
            timed = words[block.old_start : block.old_end]
            aligned.extend((start, end, word) for (start, end, _), word in zip(timed, texts, strict=True))
        else:
            aligned.extend(_spread(texts, *_find_time_span(words, block.old_start, block.old_end)))
    return aligned


def _split_word(start_s: float, end_s: float, text: str) -> list[Word]:
    """Split a word in a script without spaces into characters, because an edit may begin at any of them."""
    parts = split_words(text)
    return _spread(parts, start_s, end_s) if len(parts) > 1 else [(start_s, end_s, text.strip())]


def _match_blocks(old: list[str], new: list[str]) -> list[_Block]:
    """Return the equal and the different blocks of two texts, in order. Only the part between the common head and tail is compared."""
    shorter = min(len(old), len(new))
    head = next((place for place in range(shorter) if old[place] != new[place]), shorter)
    # The tail must not overlap the head.
    tail = next((place for place in range(shorter - head) if old[-1 - place] != new[-1 - place]), shorter - head)
    old_middle, new_middle = old[head : len(old) - tail], new[head : len(new) - tail]
    blocks = [_Block(True, 0, head, 0, head)]
    if max(len(old_middle), len(new_middle)) > MAX_COMPARED_WORDS:
        blocks.append(_Block(False, head, len(old) - tail, head, len(new) - tail))
    else:
        for tag, *bounds in SequenceMatcher(None, old_middle, new_middle, autojunk=False).get_opcodes():
            blocks.append(_Block(tag == "equal", *(head + bound for bound in bounds)))
    return [*blocks, _Block(True, len(old) - tail, len(old), len(new) - tail, len(new))]


def _find_time_span(words: Sequence[Word], start: int, end: int) -> tuple[float, float]:
    """Return the time from word `start` to before word `end`, or the gap between their neighbors when there is no such word."""
    if start < end:
        return words[start][0], words[end - 1][1]
    start_s = words[start - 1][1] if start else words[start][0]
    return start_s, max(start_s, words[start][0]) if start < len(words) else start_s


def _spread(texts: Sequence[str], start_s: float, end_s: float) -> list[Word]:
    share_s = (end_s - start_s) / len(texts) if texts else 0.0
    return [(round(start_s + share_s * place, 3), round(start_s + share_s * (place + 1), 3), text) for place, text in enumerate(texts)]
