"""Give the words of an edited transcript their times again, as far as they are the words that were heard. Pure."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from videos.composition import Word

# Below this share of words in common (as difflib's ratio counts it) the new text is another one, and no time of the old fits it.
LEAST_IN_COMMON = 0.5
# Comparing takes time with the product of both lengths; longer stretches count as replaced as a whole.
_LONGEST_COMPARED = 2000


def retime(words: Sequence[Word], text: str) -> list[Word]:
    """Return the words of `text` with times: those that were heard keep theirs, those between share the time that is left there.

    Empty when the text has too little in common with what was heard.
    """
    said, heard = text.split(), [word.strip() for _, _, word in words]
    if said == heard:
        return list(words)
    stretches = _stretches(heard, said)
    in_common = sum(end - begin for same, begin, end, _, _ in stretches if same)
    if 2 * in_common < LEAST_IN_COMMON * (len(heard) + len(said)):
        return []
    timed: list[Word] = []
    for same, begin, end, first, last in stretches:
        if same:
            timed.extend((start, stop, word) for (start, stop, _), word in zip(words[begin:end], said[first:last], strict=True))
        else:
            timed.extend(_spread(said[first:last], *_gap(words, begin, end)))
    return timed


def _stretches(heard: list[str], said: list[str]) -> list[tuple[bool, int, int, int, int]]:
    """Return what is the same and what is not, in order: (same, first heard, beyond the last heard, first said, beyond the last said)."""
    shorter = min(len(heard), len(said))
    head = next((place for place in range(shorter) if heard[place] != said[place]), shorter)
    tail = next((place for place in range(shorter - head) if heard[-1 - place] != said[-1 - place]), shorter - head)
    middle_heard, middle_said = heard[head : len(heard) - tail], said[head : len(said) - tail]
    found = [(True, 0, head, 0, head)]
    if max(len(middle_heard), len(middle_said)) > _LONGEST_COMPARED:
        found.append((False, head, len(heard) - tail, head, len(said) - tail))
    else:
        for what, begin, end, first, last in SequenceMatcher(None, middle_heard, middle_said, autojunk=False).get_opcodes():
            found.append((what == "equal", head + begin, head + end, head + first, head + last))
    return [*found, (True, len(heard) - tail, len(heard), len(said) - tail, len(said))]


def _gap(words: Sequence[Word], begin: int, end: int) -> tuple[float, float]:
    """Return the time of the words from `begin` up to `end`, or between their neighbours when they are none."""
    if begin < end:
        return words[begin][0], words[end - 1][1]
    start = words[begin - 1][1] if begin else words[begin][0]
    return start, max(start, words[begin][0]) if begin < len(words) else start


def _spread(said: Sequence[str], start: float, end: float) -> list[Word]:
    each = (end - start) / len(said) if said else 0.0
    return [(round(start + each * place, 3), round(start + each * (place + 1), 3), word) for place, word in enumerate(said)]
