"""Which words belong to which scene."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TypeAlias

# Begin and end in seconds, and the word.
TimedWord: TypeAlias = tuple[float, float, str]


def words_of_scenes(words: Iterable[TimedWord], starts: Sequence[float]) -> list[list[TimedWord]]:
    """Return each scene's words, given where the scenes begin (seconds, ascending).

    A word belongs to the scene of its middle, so each to exactly one; what is said before the first scene belongs to that.
    """
    shares: list[list[TimedWord]] = [[] for _ in starts]
    for word in words if shares else ():
        middle = (word[0] + word[1]) / 2
        shares[max(bisect_right(starts, middle) - 1, 0)].append(word)
    return shares
