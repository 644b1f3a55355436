"""A video's chapters, out of its scenes' own texts: where its topic changes, and what is talked of from there on. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from heimdex.vision.titles import PartText, titles
from heimdex.vision.topics import topic_starts, topic_words

# A shorter video is watched, not leafed through.
SHORTEST_VIDEO_S = 180.0
SHORTEST_CHAPTER_S = 60.0
MOST_CHAPTERS = 20
# Scenes are taken together until they last so long: fewer words than are said then say little about a topic.
BLOCK_S = 20.0
# Of even the longest video, so that dividing it takes seconds.
MOST_BLOCKS = 200
# Of a first part without a word of its own: a film's opening, say.
UNTITLED = "Beginning"
# With fewer telling words per minute, said and written, a video is told by what is seen.
FEWEST_WORDS_PER_MINUTE = 5.0


@dataclass(frozen=True)
class SceneText:
    """A scene's time (seconds from the video's start), what is said, what is seen, and the lines that stand on screen."""

    start_s: float
    end_s: float
    said: str
    seen: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Chapter:
    """A part of a video, from its start (seconds) to the next chapter's."""

    title: str
    start_s: float


def chapters(scenes: Sequence[SceneText]) -> list[Chapter]:
    """Divide a video into 2 to 20 chapters of a minute at least, each beginning with a scene, the first at the video's beginning.

    `scenes` are all its scenes, in order. None for a video of less than three minutes, of one topic, or without words to tell topics.
    """
    duration_s = scenes[-1].end_s - scenes[0].start_s if scenes else 0.0
    if duration_s < SHORTEST_VIDEO_S:
        return []
    said = [" ".join((scene.said, *scene.lines)) for scene in scenes]
    wordy = sum(len(topic_words(text)) for text in said) >= FEWEST_WORDS_PER_MINUTE * duration_s / 60
    texts = said if wordy else [" ".join((text, scene.seen)) for text, scene in zip(said, scenes, strict=True)]
    blocks = list(_blocks(scenes, max(BLOCK_S, duration_s / MOST_BLOCKS)))
    starts = topic_starts(
        [[word for index in block for word in topic_words(texts[index])] for block in blocks],
        [scenes[block[-1]].end_s - scenes[block[0]].start_s for block in blocks],
        max(SHORTEST_CHAPTER_S, duration_s / MOST_CHAPTERS),
    )
    if len(starts) < 2:
        return []
    parts = []
    for first, beyond in zip(starts, [*starts[1:], len(blocks)], strict=True):
        indexes = range(blocks[first][0], blocks[beyond - 1][-1] + 1)
        lines = tuple(line for index in indexes for line in scenes[index].lines)
        spoken = " ".join((scenes[index].said if wordy else texts[index]) for index in indexes)
        parts.append((scenes[indexes[0]].start_s, PartText(spoken, lines)))
    named = list(zip(titles([part for _, part in parts]), [start_s for start_s, _ in parts], strict=True))
    # A part without a word of its own goes with the one before it.
    found = [Chapter(title or UNTITLED, start_s) for place, (title, start_s) in enumerate(named) if title or place == 0]
    return found if len(found) > 1 else []


def _blocks(scenes: Sequence[SceneText], length_s: float) -> Iterator[range]:
    """Yield the indexes of consecutive scenes that last at least `length_s` together; the last ones may last less."""
    first = 0
    for index, scene in enumerate(scenes):
        if scene.end_s - scenes[first].start_s >= length_s or index == len(scenes) - 1:
            yield range(first, index + 1)
            first = index + 1
