"""Divide a video into chapters where its topic changes, and title them with the video's own words. Pure."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from heimdex.vision.topics import extract_topic_words, find_topic_starts, stem

# A shorter video needs no chapters.
SHORTEST_VIDEO_S = 180.0
SHORTEST_CHAPTER_S = 60.0
MAX_CHAPTERS = 20
# Scenes are joined into blocks of this duration. A shorter block has too few words to determine its topic.
BLOCK_S = 20.0
# With this limit, dividing the longest video takes seconds.
MAX_BLOCKS = 200
# Six hours of speech have half as many words with a topic. An edited transcript may have any number.
MAX_WORDS = 100_000
# The title of a first part that no word distinguishes, such as a film's opening.
UNTITLED = "Beginning"
# With fewer topic words per minute in speech and on screen, the descriptions of the scenes count too.
MIN_WORDS_PER_MINUTE = 5.0

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
class ChapterScene:
    """The time of a scene (seconds from the start of the video), its speech, its visual text and its on-screen lines."""

    start_s: float
    end_s: float
    speech: str
    visual: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Chapter:
    """A part of a video, from its start (seconds) to the start of the next chapter."""

    title: str
    start_s: float


def divide_into_chapters(scenes: Sequence[ChapterScene]) -> list[Chapter]:
    """Divide a video, given by all its scenes in order, into 2 to 20 chapters of at least a minute.

    Each chapter starts with a scene, and the first with the first scene. Return no chapters for a video that is shorter than three
    minutes, has a single topic, or has no topic words.
    """
    duration_s = scenes[-1].end_s - scenes[0].start_s if scenes else 0.0
    if duration_s < SHORTEST_VIDEO_S:
        return []
    verbal = [" ".join((scene.speech, *scene.lines)) for scene in scenes]
    has_words = sum(len(extract_topic_words(text)) for text in verbal) >= MIN_WORDS_PER_MINUTE * duration_s / 60
    texts = verbal if has_words else [" ".join((text, scene.visual)) for text, scene in zip(verbal, scenes, strict=True)]
    blocks = list(_join_scenes(scenes, max(BLOCK_S, duration_s / MAX_BLOCKS)))
    words = [[word for index in block for word in extract_topic_words(texts[index])] for block in blocks]
    starts = find_topic_starts(
        [block[: MAX_WORDS // len(words)] for block in words],
        [scenes[block[-1]].end_s - scenes[block[0]].start_s for block in blocks],
        max(SHORTEST_CHAPTER_S, duration_s / MAX_CHAPTERS),
    )
    if len(starts) < 2:
        return []
    parts = []
    for first, end in zip(starts, [*starts[1:], len(blocks)], strict=True):
        indexes = range(blocks[first][0], blocks[end - 1][-1] + 1)
        lines = tuple(line for index in indexes for line in scenes[index].lines)
        text = " ".join((scenes[index].speech if has_words else texts[index]) for index in indexes)
        parts.append((scenes[indexes[0]].start_s, Part(text, lines)))
    titles = choose_titles([part for _, part in parts])
    # A part that no word distinguishes joins the previous one.
    chapters = [
        Chapter(title or UNTITLED, start_s)
        for index, (title, (start_s, _)) in enumerate(zip(titles, parts, strict=True))
        if title or index == 0
    ]
    return chapters if len(chapters) > 1 else []


def _join_scenes(scenes: Sequence[ChapterScene], length_s: float) -> Iterator[range]:
    """Yield the indexes of consecutive scenes that together last at least `length_s`; the last block may be shorter."""
    first = 0
    for index, scene in enumerate(scenes):
        if scene.end_s - scenes[first].start_s >= length_s or index == len(scenes) - 1:
            yield range(first, index + 1)
            first = index + 1


@dataclass(frozen=True)
class Part:
    """A part of a video: its speech (or visual text) and its on-screen lines, in order."""

    text: str
    lines: tuple[str, ...]


def choose_titles(parts: Sequence[Part]) -> list[str]:
    """Return a title for each part, empty for a part that no word distinguishes.

    The title is a heading that only this part shows on screen, or else one or two phrases whose words distinguish it from other parts.
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
    """Weigh each word of a part by its count, the part's share of all its uses, and the number of parts that use it."""
    return {
        word: math.log1p(number) * (number / total[word]) * math.log((1 + len(parts)) / sum(word in part for part in parts))
        for word, number in count.items()
    }


def _select_phrases(text: str, weights: Mapping[str, float]) -> list[str]:
    """Return the best phrase, and the best other phrase without a common word if there is one, as spelled in the text."""
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
