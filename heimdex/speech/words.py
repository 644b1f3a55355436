"""Words of a transcript: join subwords, align words with times, and assign words to scenes. Pure."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import TypeAlias

from heimdex.speech.base import Word
from heimdex.speech.languages import UNSPACED_CHARACTER

# Start and end in seconds, and the word.
TimedWord: TypeAlias = tuple[float, float, str]

_JOINERS = ("-", "'", "\u2019")


def join_subwords(subwords: Iterable[Word]) -> tuple[Word, ...]:
    """Join "ill" and "-disposed", which Whisper times separately, and strip the space that marks the start of a word.

    In languages written without spaces every subword stays separate, with its own times.
    """
    words: list[Word] = []
    for subword in subwords:
        if words and subword.text.startswith(_JOINERS):
            last = words.pop()
            probability = min(last.probability, subword.probability)
            words.append(Word(last.start_s, subword.end_s, last.text + subword.text.strip(), probability))
        elif subword.text.strip():
            words.append(Word(subword.start_s, subword.end_s, subword.text.strip(), subword.probability))
    return tuple(words)


def needs_space(before: str, after: str) -> bool:
    """Return whether a space separates two words: not between characters of scripts that are written without spaces."""
    return not (UNSPACED_CHARACTER.match(before[-1:]) and UNSPACED_CHARACTER.match(after[:1]))


def join_words(words: Iterable[str]) -> str:
    """Join spoken words into a text, as their script is written. Empty words are left out."""
    parts: list[str] = []
    before = ""
    for word in words:
        if word := word.strip():
            parts += [" ", word] if before and needs_space(before, word) else [word]
            before = word
    return "".join(parts)


def split_words(text: str) -> list[str]:
    """Split a text at spaces, and at each character of a script that is written without them."""
    return [
        part for word in text.split() for part in re.findall(f"{UNSPACED_CHARACTER.pattern}|.+?(?={UNSPACED_CHARACTER.pattern}|$)", word)
    ]


def align_words(text: str, start_s: float, end_s: float, timed: Sequence[Word], probability: float) -> tuple[Word, ...]:
    """Return the words of `text` as written there, with the times of the same words in `timed`, which lack punctuation.

    Words without a counterpart share the time between their neighbors in proportion to their lengths. If no word has one, all words share
    [start_s, end_s].
    """
    written = text.split()
    times: list[tuple[float, float] | None] = [None] * len(written)
    matcher = SequenceMatcher(
        None, [_extract_letters(word) for word in written], [_extract_letters(word.text) for word in timed], autojunk=False
    )
    for first, first_timed, count in matcher.get_matching_blocks():
        for offset in range(count):
            times[first + offset] = timed[first_timed + offset].start_s, timed[first_timed + offset].end_s
    words: list[Word] = []
    reached_s = start_s
    index = 0
    while index < len(written):
        time = times[index]
        if time is not None:
            words.append(Word(*time, written[index], probability))
            reached_s = time[1]
            index += 1
            continue
        after = next((later for later in range(index, len(written)) if times[later] is not None), len(written))
        next_time = times[after] if after < len(written) else None
        words += _spread(written[index:after], reached_s, next_time[0] if next_time else max(reached_s, end_s), probability)
        index = after
    return tuple(words)


def _spread(written: Sequence[str], start_s: float, end_s: float, probability: float) -> list[Word]:
    total = sum(map(len, written))
    seconds = max(0.0, end_s - start_s)
    words: list[Word] = []
    done = 0
    for text in written:
        words.append(Word(start_s + seconds * done / total, start_s + seconds * (done + len(text)) / total, text, probability))
        done += len(text)
    return words


def _extract_letters(word: str) -> str:
    return re.sub(r"\W", "", word.casefold())


def assign_words_to_scenes(words: Iterable[TimedWord], starts: Sequence[float]) -> list[list[TimedWord]]:
    """Return the words of each scene. `starts` are the start times of the scenes in seconds, ascending.

    A word belongs to the scene that contains its middle, so each word belongs to exactly one. Words before the first scene belong to it.
    """
    words_by_scene: list[list[TimedWord]] = [[] for _ in starts]
    for word in words if words_by_scene else ():
        middle_s = (word[0] + word[1]) / 2
        words_by_scene[max(bisect_right(starts, middle_s) - 1, 0)].append(word)
    return words_by_scene
