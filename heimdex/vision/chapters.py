"""Divide a video into chapters from its scenes' texts: where the topic changes, and what the new topic is. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from heimdex.vision.titles import Part, title_parts
from heimdex.vision.topics import extract_topic_words, find_topic_starts

# Viewers watch a shorter video as a whole.
SHORTEST_VIDEO_S = 180.0
SHORTEST_CHAPTER_S = 60.0
MAX_CHAPTERS = 20
# Scenes are joined until they last this long. The words of a shorter stretch say little about its topic.
BLOCK_S = 20.0
# The limit keeps the division of even the longest video within seconds.
MAX_BLOCKS = 200
# The title of a first part without a word of its own, such as a film's opening.
UNTITLED = "Beginning"
# With fewer topic words per minute in speech and on screen, what is visible decides.
MIN_WORDS_PER_MINUTE = 5.0


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

    Each chapter begins with a scene, and the first with the first scene. Return no chapters for a video shorter than three minutes, of
    one topic, or without topic words.
    """
    duration_s = scenes[-1].end_s - scenes[0].start_s if scenes else 0.0
    if duration_s < SHORTEST_VIDEO_S:
        return []
    verbal = [" ".join((scene.speech, *scene.lines)) for scene in scenes]
    has_words = sum(len(extract_topic_words(text)) for text in verbal) >= MIN_WORDS_PER_MINUTE * duration_s / 60
    texts = verbal if has_words else [" ".join((text, scene.visual)) for text, scene in zip(verbal, scenes, strict=True)]
    blocks = list(_join_scenes(scenes, max(BLOCK_S, duration_s / MAX_BLOCKS)))
    starts = find_topic_starts(
        [[word for index in block for word in extract_topic_words(texts[index])] for block in blocks],
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
    titles = title_parts([part for _, part in parts])
    # A part without a word of its own joins the one before it.
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
