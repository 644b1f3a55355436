"""A video's summary, made of its own words: what it likely shows, and its most telling sentences."""

import re
from collections import Counter
from collections.abc import Sequence

MOST_CHARACTERS = 2000
MOST_TAGS = 8
# Shorter sentences tell nothing; longer ones leave no room for others.
SHORTEST, LONGEST = 25, 400

# A space after the end of a sentence, but not after the abbreviations that stand before names.
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)\s+")
_WORD = re.compile(r"\w{4,}")


def summarise_video(scene_texts: Sequence[str], descriptions: Sequence[str], tags: Sequence[str]) -> str:
    """Summarise a video in at most 2,000 characters, the same for the same input, empty when nothing is known.

    `tags` come the most common first. The sentences kept are those whose words recur through the video, in the order in which
    they are said; without speech, the scenes' own descriptions stand in.
    """
    parts = [f"Likely shows: {', '.join(list(dict.fromkeys(tags))[:MOST_TAGS])}."] if tags else []
    room = MOST_CHARACTERS - sum(len(part) + 1 for part in parts)
    spoken = _central(_sentences(scene_texts), room)
    if not spoken and not tags:
        spoken = _central(list(dict.fromkeys(text.strip() for text in descriptions if text.strip())), room)
    return " ".join(parts + spoken)[:MOST_CHARACTERS]


def _sentences(texts: Sequence[str]) -> list[str]:
    """Split the whole speech into sentences: one that runs across a cut stays whole."""
    whole = " ".join(" ".join(text.split()) for text in texts if text.strip())
    found = [sentence[:LONGEST] for sentence in _SENTENCE_END.split(whole) if sentence]
    return [sentence for sentence in found if len(sentence) >= SHORTEST] or found


def _central(sentences: Sequence[str], room: int) -> list[str]:
    """Choose sentences by how often their words occur in all of them, the first one always, until the room is used up."""
    counts = Counter(word for sentence in sentences for word in set(_words(sentence)))

    def weight(index: int) -> float:
        words = set(_words(sentences[index]))
        return float("inf") if index == 0 else sum(counts[word] for word in words) / (len(words) + 3)

    chosen: list[int] = []
    for index in sorted(range(len(sentences)), key=lambda index: (-weight(index), index)):
        if len(sentences[index]) + 1 <= room:
            chosen.append(index)
            room -= len(sentences[index]) + 1
    return [sentences[index] for index in sorted(chosen)]


def _words(sentence: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(sentence)]
