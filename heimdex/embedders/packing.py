"""Cuts inputs into requests that a server takes. Pure."""

from collections.abc import Sequence

# English has about four bytes to a token; where a language has fewer, a server's limit must not be used up by the estimate.
BYTES_PER_TOKEN = 4


def estimated_tokens(text: str) -> int:
    """Estimate a text's tokens from its bytes, for want of each server's own tokenizer; at least 1."""
    return len(text.encode()) // BYTES_PER_TOKEN + 1


def packed(sizes: Sequence[int], order: Sequence[int], most: int, largest: int) -> list[Sequence[int]]:
    """Cut the ordered positions into runs of at most `most` positions whose sizes sum to at most `largest`.

    `sizes` is by position. A position that is larger than `largest` alone gets a run of its own.
    """
    runs: list[Sequence[int]] = []
    start = filled = 0
    for place, position in enumerate(order):
        if place > start and (place - start == most or filled + sizes[position] > largest):
            runs.append(order[start:place])
            start, filled = place, 0
        filled += sizes[position]
    return [*runs, order[start:]] if start < len(order) else runs
