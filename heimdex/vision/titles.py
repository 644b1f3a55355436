"""Title the parts of a video with their own words. Pure."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heimdex.vision.topics import extract_topic_words, stem

MAX_TITLE_LENGTH = 80
# The size of a heading on a slide.
_HEADING_LETTERS = range(4, 61)
_MAX_HEADING_WORDS = 9
_MAX_PHRASE_WORDS = 3
# A phrase scores higher than its words alone.
_BONUS_PER_WORD = 0.35
_ANY_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
# The separator between two words of a phrase.
_SEPARATOR = re.compile(r"[ \-]")


@dataclass(frozen=True)
class Part:
    """A part of a video: its speech (or visual text) and its on-screen lines, in order."""

    text: str
    lines: tuple[str, ...]


def title_parts(parts: Sequence[Part]) -> list[str]:
    """Return a title for each part, empty for a part without a word of its own.

    The title is a heading that only this part shows on screen, else the one or two phrases whose words distinguish it from other parts.
    """
    counts = [Counter(extract_topic_words(part.text)) for part in parts]
    total = sum(counts, Counter[str]())
    parts_by_line = Counter(line.casefold() for part in parts for line in dict.fromkeys(part.lines))
    titles = []
    for part, count in zip(parts, counts, strict=True):
        headings = [line for line in part.lines if parts_by_line[line.casefold()] == 1 and _is_heading(line)]
        title = headings[0] if headings else ", ".join(_select_phrases(part.text, _weigh_words(count, total, counts)))
        titles.append(title[:1].upper() + title[1:MAX_TITLE_LENGTH])
    return titles


def _is_heading(line: str) -> bool:
    return len(line) in _HEADING_LETTERS and len(line.split()) <= _MAX_HEADING_WORDS and bool(extract_topic_words(line))


def _weigh_words(count: Counter[str], total: Counter[str], parts: Sequence[Counter[str]]) -> dict[str, float]:
    """Weigh each word of a part by its count, the share of its use that falls into this part, and the number of parts that use it."""
    return {
        word: math.log1p(number) * (number / total[word]) * math.log((1 + len(parts)) / sum(word in part for part in parts))
        for word, number in count.items()
    }


def _select_phrases(text: str, weights: Mapping[str, float]) -> list[str]:
    """Return the best phrase, and the next best one without a common word if there is one, as the text spells them."""
    spellings: dict[tuple[str, ...], Counter[str]] = {}
    for run in _split_runs(text):
        for size in range(1, _MAX_PHRASE_WORDS + 1):
            for start in range(len(run) - size + 1):
                words = run[start : start + size]
                spellings.setdefault(tuple(stem(word) for word in words), Counter())[" ".join(words)] += 1

    def score(phrase: tuple[str, ...]) -> float:
        mean = sum(weights.get(word, 0.0) for word in phrase) / len(phrase)
        return mean * (1 + _BONUS_PER_WORD * (len(phrase) - 1)) * math.log1p(sum(spellings[phrase].values()))

    phrases: list[tuple[str, ...]] = []
    for phrase in sorted(spellings, key=lambda phrase: (-score(phrase), phrase)):
        if score(phrase) > 0 and not any(set(phrase) & set(other) for other in phrases):
            phrases.append(phrase)
        if len(phrases) == 2:
            break
    return [spellings[phrase].most_common(1)[0][0] for phrase in phrases]


def _split_runs(text: str) -> list[list[str]]:
    """Return the runs of topic words between punctuation and words without a topic."""
    runs: list[list[str]] = [[]]
    end = 0
    for match in _ANY_WORD.finditer(text):
        word = match.group()
        if not extract_topic_words(word):
            runs.append([])
        elif runs[-1] and not _SEPARATOR.fullmatch(text[end : match.start()]):
            runs.append([word])
        else:
            runs[-1].append(word)
        end = match.end()
    return [run for run in runs if run]
