"""Times for the words of a sentence, from words whose times are known but not their punctuation. Pure."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from heimdex.speech.base import Word


def timed_words(text: str, start_s: float, end_s: float, timed: Sequence[Word], probability: float) -> tuple[Word, ...]:
    """Return the words of `text` as they are written there, with the times of those in `timed` that are the same word.

    Words that have no counterpart share the time between their neighbours by their lengths; without any, all share [start_s, end_s].
    """
    written = text.split()
    times: list[tuple[float, float] | None] = [None] * len(written)
    matcher = SequenceMatcher(None, [_plain(word) for word in written], [_plain(word.text) for word in timed], autojunk=False)
    for first, other, count in matcher.get_matching_blocks():
        for step in range(count):
            times[first + step] = timed[other + step].start_s, timed[other + step].end_s
    words: list[Word] = []
    reached = start_s
    place = 0
    while place < len(written):
        known = times[place]
        if known is not None:
            words.append(Word(*known, written[place], probability))
            reached = known[1]
            place += 1
            continue
        beyond = next((index for index in range(place, len(written)) if times[index] is not None), len(written))
        following = times[beyond] if beyond < len(written) else None
        words += _spread(written[place:beyond], reached, following[0] if following else max(reached, end_s), probability)
        reached, place = words[-1].end_s, beyond
    return tuple(words)


def _spread(written: Sequence[str], start_s: float, end_s: float, probability: float) -> list[Word]:
    total = sum(map(len, written))
    words: list[Word] = []
    said = 0
    for text in written:
        begins, said = said, said + len(text)
        seconds = max(0.0, end_s - start_s)
        words.append(Word(start_s + seconds * begins / total, start_s + seconds * said / total, text, probability))
    return words


def _plain(word: str) -> str:
    return re.sub(r"\W", "", word.casefold())
