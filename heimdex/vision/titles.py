"""Titles for the parts of a text, out of its own words. Pure."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heimdex.vision.topics import stem, topic_words

LONGEST_TITLE = 80
# What a heading on a slide looks like.
_HEADING_LETTERS = range(4, 61)
_MOST_HEADING_WORDS = 9
_MOST_PHRASE_WORDS = 3
# A phrase is worth more than its words alone.
_PER_FURTHER_WORD = 0.35
_ANY_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
# What stands between two words of one phrase.
_BETWEEN = re.compile(r"[ \-]")


@dataclass(frozen=True)
class PartText:
    """One part of a video: what is said (or seen) in it, and the lines that stand on screen, in order."""

    text: str
    lines: tuple[str, ...]


def titles(parts: Sequence[PartText]) -> list[str]:
    """Return a title for each part; empty for one that has no word of its own.

    A heading that stands on screen in this part and in no other, else the one or two phrases whose words it has more of than others.
    """
    counts = [Counter(topic_words(part.text)) for part in parts]
    together = sum(counts, Counter[str]())
    shown = Counter(line.casefold() for part in parts for line in dict.fromkeys(part.lines))
    found = []
    for part, count in zip(parts, counts, strict=True):
        own = [line for line in part.lines if shown[line.casefold()] == 1 and _is_heading(line)]
        title = own[0] if own else ", ".join(_phrases(part.text, _weights(count, together, counts)))
        found.append(title[:1].upper() + title[1:LONGEST_TITLE])
    return found


def _is_heading(line: str) -> bool:
    return len(line) in _HEADING_LETTERS and len(line.split()) <= _MOST_HEADING_WORDS and bool(topic_words(line))


def _weights(count: Counter[str], together: Counter[str], parts: Sequence[Counter[str]]) -> dict[str, float]:
    """Return how telling each word of a part is: how often it is there, how much of its use is there, in how few parts it is used."""
    return {
        word: math.log1p(number) * (number / together[word]) * math.log((1 + len(parts)) / sum(word in part for part in parts))
        for word, number in count.items()
    }


def _phrases(text: str, weights: Mapping[str, float]) -> list[str]:
    """Return the best phrase, and a second one where it has no word in common with the first, as they are written in the text."""
    written: dict[tuple[str, ...], Counter[str]] = {}
    for run in _runs(text):
        for size in range(1, _MOST_PHRASE_WORDS + 1):
            for start in range(len(run) - size + 1):
                words = run[start : start + size]
                written.setdefault(tuple(stem(word) for word in words), Counter())[" ".join(words)] += 1

    def worth(phrase: tuple[str, ...]) -> float:
        mean = sum(weights.get(word, 0.0) for word in phrase) / len(phrase)
        return mean * (1 + _PER_FURTHER_WORD * (len(phrase) - 1)) * math.log1p(sum(written[phrase].values()))

    chosen: list[tuple[str, ...]] = []
    for phrase in sorted(written, key=lambda phrase: (-worth(phrase), phrase)):
        if worth(phrase) > 0 and not any(set(phrase) & set(other) for other in chosen):
            chosen.append(phrase)
        if len(chosen) == 2:
            break
    return [written[phrase].most_common(1)[0][0] for phrase in chosen]


def _runs(text: str) -> list[list[str]]:
    """Return the stretches of telling words between punctuation and the words that say nothing."""
    runs: list[list[str]] = [[]]
    end = 0
    for found in _ANY_WORD.finditer(text):
        word = found.group()
        if not topic_words(word):
            runs.append([])
        elif runs[-1] and not _BETWEEN.fullmatch(text[end : found.start()]):
            runs.append([word])
        else:
            runs[-1].append(word)
        end = found.end()
    return [run for run in runs if run]
