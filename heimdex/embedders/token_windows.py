"""Cuts a text into parts that a model's window can hold."""

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# A part cut inside a word may give a token or two more than it had in the whole.
SLACK = 4


def token_windows(text: str, prefix: str, tokenizer: "PreTrainedTokenizerBase", limit: int | None) -> list[str]:
    """Return the text itself if it fits `limit` tokens with prefix and special tokens, else parts of equal size that do.

    Parts are equal so that each deserves the same weight in a mean, end where a word ends unless a word is longer than a part,
    and together hold every token of the text.
    """
    if limit is None or not tokenizer.is_fast or _surely_fits(prefix + text, tokenizer.num_special_tokens_to_add() + SLACK, limit):
        return [text]
    encoded = tokenizer(text, add_special_tokens=False, truncation=False, return_offsets_mapping=True, verbose=False)
    spans: list[tuple[int, int]] = encoded["offset_mapping"]
    reserved = tokenizer.num_special_tokens_to_add() + len(tokenizer(prefix, add_special_tokens=False)["input_ids"])
    if len(spans) + reserved <= limit:
        return [text]
    words: list[int | None] = encoded.word_ids()
    cuts = window_starts(words, limit - reserved - SLACK)
    bounds = [0, *(spans[cut][0] for cut in cuts[1:]), len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


def _surely_fits(text: str, reserved: int, limit: int) -> bool:
    """Tell without counting: a token of ASCII, which no normalisation makes longer, has a character at least."""
    return text.isascii() and len(text) + reserved <= limit


def window_starts(words: list[int | None], size: int) -> list[int]:
    """Choose the tokens at which windows of at most `size` tokens start, given the word that each token belongs to."""
    starts = [0]
    while (left := len(words) - starts[-1]) > size:
        windows = -(-left // size)
        wanted = starts[-1] + -(-left // windows)
        cut = wanted
        while cut > starts[-1] and words[cut] == words[cut - 1]:
            cut -= 1
        starts.append(cut if cut > starts[-1] else wanted)
    return starts
