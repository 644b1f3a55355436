"""Order inputs and pack them into model calls. Pure."""

from collections.abc import Sequence

# English has about four bytes per token. A server's limit must leave room for languages that have fewer.
BYTES_PER_TOKEN = 4


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text from its bytes, because not every server's tokenizer is available; at least 1."""
    return len(text.encode()) // BYTES_PER_TOKEN + 1


def pack_batches(sizes: Sequence[int], order: Sequence[int], max_inputs: int, max_size: int) -> list[Sequence[int]]:
    """Split `order` into batches of at most `max_inputs` positions whose sizes sum to at most `max_size`.

    `sizes` is indexed by position. A position larger than `max_size` gets a batch of its own.
    """
    batches: list[Sequence[int]] = []
    start = total = 0
    for index, position in enumerate(order):
        if index > start and (index - start == max_inputs or total + sizes[position] > max_size):
            batches.append(order[start:index])
            start, total = index, 0
        total += sizes[position]
    return [*batches, order[start:]] if start < len(order) else batches


def sort_longest_first(texts: Sequence[str]) -> list[int]:
    """Return positions sorted by descending text length. A batch is padded to its longest text, so similar lengths waste least."""
    return sorted(range(len(texts)), key=lambda position: -len(texts[position]))
