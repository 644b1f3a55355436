"""Split long texts into windows, order inputs, and pack them into model calls. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# English has about four bytes per token. A server's limit must leave room for languages that have fewer.
BYTES_PER_TOKEN = 4
# A window that is cut inside a word may have one or two tokens more than the same part of the whole text.
SLACK = 4


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
    """Return positions by descending text length. A batch is padded to its longest text, so similar lengths waste the least."""
    return sorted(range(len(texts)), key=lambda position: -len(texts[position]))


def split_by_tokens(text: str, prefix: str, tokenizer: "PreTrainedTokenizerBase", limit: int | None) -> list[str]:
    """Return the text itself if it fits `limit` tokens with prefix and special tokens, else windows of equal size that fit.

    Windows have equal sizes, so that each deserves the same weight in a mean. They end at a word boundary unless a word is longer than a
    window. Together they hold every token of the text.
    """
    if limit is None or not tokenizer.is_fast or _is_surely_short(prefix + text, tokenizer.num_special_tokens_to_add() + SLACK, limit):
        return [text]
    encoded = tokenizer(text, add_special_tokens=False, truncation=False, return_offsets_mapping=True, verbose=False)
    spans: list[tuple[int, int]] = encoded["offset_mapping"]
    reserved = tokenizer.num_special_tokens_to_add() + len(tokenizer(prefix, add_special_tokens=False)["input_ids"])
    if len(spans) + reserved <= limit:
        return [text]
    words: list[int | None] = encoded.word_ids()
    starts = choose_window_starts(words, limit - reserved - SLACK)
    offsets = [0, *(spans[start][0] for start in starts[1:]), len(text)]
    return [text[start:end] for start, end in pairwise(offsets)]


def _is_surely_short(text: str, reserved: int, limit: int) -> bool:
    """Return whether a text fits, without tokenizing it: normalization never lengthens ASCII, and a token has at least one character."""
    return text.isascii() and len(text) + reserved <= limit


def choose_window_starts(words: list[int | None], size: int) -> list[int]:
    """Return the tokens at which windows of at most `size` tokens start. `words` gives the word of each token."""
    starts = [0]
    while (remaining := len(words) - starts[-1]) > size:
        windows = -(-remaining // size)
        target = starts[-1] + -(-remaining // windows)
        start = target
        while start > starts[-1] and words[start] == words[start - 1]:
            start -= 1
        starts.append(start if start > starts[-1] else target)
    return starts


def split_by_bytes(text: str, limit: int) -> list[str]:
    """Halve a text until every part has at most `limit` bytes of UTF-8. Cut between words where there is a space nearby."""
    if len(text.encode()) <= limit:
        return [text]
    middle = len(text) // 2
    space = text.rfind(" ", middle // 2, middle)
    cut = space + 1 if space > 0 else middle
    return split_by_bytes(text[:cut], limit) + split_by_bytes(text[cut:], limit)
