"""Summarize a video with its own words: what it likely shows, and its most central sentences."""

import re
from collections import Counter
from collections.abc import Sequence

MAX_CHARACTERS = 2000
MAX_TAGS = 8
# Shorter sentences have no content; longer ones leave no room for others.
MIN_SENTENCE, MAX_SENTENCE = 25, 400

# A space after the end of a sentence, but not after an abbreviation that precedes a name.
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)\s+")
_WORD = re.compile(r"\w{4,}")


def summarize_video(scene_texts: Sequence[str], descriptions: Sequence[str], tags: Sequence[str]) -> str:
    """Summarize a video in at most 2,000 characters, the same for the same input, empty when nothing is known.

    `tags` are ordered, the most common first. The summary keeps the sentences whose words recur throughout the video, in spoken order.
    Without speech and tags it uses the scenes' descriptions.
    """
    parts = [f"Likely shows: {', '.join(list(dict.fromkeys(tags))[:MAX_TAGS])}."] if tags else []
    room = MAX_CHARACTERS - sum(len(part) + 1 for part in parts)
    spoken = _select_central(_split_sentences(scene_texts), room)
    if not spoken and not tags:
        spoken = _select_central(list(dict.fromkeys(text.strip() for text in descriptions if text.strip())), room)
    return " ".join(parts + spoken)[:MAX_CHARACTERS]


def _split_sentences(texts: Sequence[str]) -> list[str]:
    """Split the whole speech into sentences. A sentence across a cut stays whole."""
    whole = " ".join(" ".join(text.split()) for text in texts if text.strip())
    sentences = [sentence[:MAX_SENTENCE] for sentence in _SENTENCE_END.split(whole) if sentence]
    return [sentence for sentence in sentences if len(sentence) >= MIN_SENTENCE] or sentences


def _select_central(sentences: Sequence[str], room: int) -> list[str]:
    """Select sentences by how many sentences share their words, until `room` characters are used. The first is always selected."""
    sentences_by_word = Counter(word for sentence in sentences for word in set(_extract_words(sentence)))

    def measure_centrality(index: int) -> float:
        words = set(_extract_words(sentences[index]))
        return float("inf") if index == 0 else sum(sentences_by_word[word] for word in words) / (len(words) + 3)

    selected: list[int] = []
    for index in sorted(range(len(sentences)), key=lambda index: (-measure_centrality(index), index)):
        if len(sentences[index]) + 1 <= room:
            selected.append(index)
            room -= len(sentences[index]) + 1
    return [sentences[index] for index in sorted(selected)]


def _extract_words(sentence: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(sentence)]
