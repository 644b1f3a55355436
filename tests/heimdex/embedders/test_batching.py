"""Windows and batches at their exact limits."""

import warnings
from types import SimpleNamespace
from typing import Any

import pytest

from heimdex.embedders.batching import (
    choose_window_starts,
    estimate_tokens,
    pack_batches,
    sort_longest_first,
    split_by_bytes,
    split_by_tokens,
)


@pytest.mark.parametrize(("text", "tokens"), [("", 1), ("abc", 1), ("abcd", 2), ("x" * 39, 10), ("x" * 40, 11), ("字字", 2), ("字" * 4, 4)])
def test_four_bytes_make_a_token(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [
        ([], []),
        ([1, 1, 1], [[0, 1, 2]]),
        ([1, 1, 1, 1], [[0, 1, 2], [3]]),
        ([4, 6], [[0, 1]]),
        ([4, 7], [[0], [1]]),
        ([4, 3, 3, 1], [[0, 1, 2], [3]]),
        ([50], [[0]]),
        ([50, 1], [[0], [1]]),
        ([1, 50, 1, 1], [[0], [1], [2, 3]]),
        ([6, 4, 6, 4], [[0, 1], [2, 3]]),
        ([9, 5, 6], [[0], [1], [2]]),
        ([0, 0, 0, 0, 0, 0, 0], [[0, 1, 2], [3, 4, 5], [6]]),
    ],
)
def test_a_batch_has_at_most_three_inputs_and_ten_tokens(sizes: list[int], batches: list[list[int]]) -> None:
    assert pack_batches(sizes, list(range(len(sizes))), 3, 10) == batches


def test_sizes_belong_to_positions_and_not_to_places_in_the_order() -> None:
    assert pack_batches([9, 1, 1], [2, 1, 0], 3, 10) == [[2, 1], [0]]


def test_the_longest_text_comes_first_and_equal_ones_keep_their_order() -> None:
    assert sort_longest_first(["aa", "b", "cccc", "dd"]) == [2, 0, 3, 1]


class CharacterTokenizer:
    """One token per character, two special tokens per text, and words between spaces. It counts its calls.

    Like a real tokenizer, it adds special tokens, truncates to 20 tokens and warns of long texts unless told otherwise.
    """

    is_fast = True

    def __init__(self) -> None:
        self.texts: list[str] = []

    def num_special_tokens_to_add(self) -> int:
        return 2

    def __call__(
        self,
        text: str,
        *,
        add_special_tokens: bool = True,
        truncation: bool = True,
        return_offsets_mapping: bool = False,
        verbose: bool = True,
    ) -> Any:
        self.texts.append(text)
        if verbose and len(text) > 20:
            warnings.warn("The text is longer than the model allows.", stacklevel=2)
        words: list[int | None] = [text[: index + 1].count(" ") for index in range(len(text))]
        spans = [(index, index + 1) for index in range(len(text))]
        if add_special_tokens:
            words, spans = [None, *words, None], [(0, 0), *spans, (0, 0)]
        if truncation:
            words, spans = words[:20], spans[:20]

        class Encoded(dict[str, Any]):
            def word_ids(self) -> list[int | None]:
                return words

        encoded = Encoded(input_ids=list(range(len(spans))))
        if return_offsets_mapping:
            encoded["offset_mapping"] = spans
        return encoded


def split(text: str, limit: int | None, prefix: str = "") -> list[str]:
    return split_by_tokens(text, prefix, CharacterTokenizer(), limit)  # type: ignore[arg-type]


@pytest.mark.parametrize(("letters", "windows"), [(17, 1), (18, 1), (19, 2)])
def test_a_text_is_split_when_it_exceeds_the_limit_with_the_special_tokens(letters: int, windows: int) -> None:
    parts = split("字" * letters, 20)
    assert len(parts) == windows
    assert "".join(parts) == "字" * letters


@pytest.mark.parametrize(("letters", "windows"), [(15, 1), (16, 2)])
def test_the_prefix_counts_in_every_window(letters: int, windows: int) -> None:
    assert len(split("字" * letters, 20, "in:")) == windows


def test_four_tokens_of_a_window_stay_free() -> None:
    """With a limit of 20 and two special tokens, a window has at most 14 tokens."""
    assert [len(part) for part in split("字" * 28, 20)] == [14, 14]
    assert [len(part) for part in split("字" * 29, 20)] == [10, 10, 9]


@pytest.mark.filterwarnings("error")
def test_a_long_text_is_split_without_a_warning_of_the_tokenizer() -> None:
    assert "".join(split("字" * 29, 20, "in:")) == "字" * 29


@pytest.mark.parametrize(("letters", "calls"), [(14, 0), (15, 1)])
def test_a_short_ascii_text_is_not_tokenized(letters: int, calls: int) -> None:
    tokenizer = CharacterTokenizer()
    assert split_by_tokens("x" * letters, "", tokenizer, 20) == ["x" * letters]  # type: ignore[arg-type]
    assert len(tokenizer.texts) == 2 * calls
    other = CharacterTokenizer()
    split_by_tokens("é", "", other, 20)  # type: ignore[arg-type]
    assert other.texts


def test_the_prefix_counts_when_a_short_text_is_not_tokenized() -> None:
    tokenizer = CharacterTokenizer()
    split_by_tokens("x" * 12, "in:", tokenizer, 20)  # type: ignore[arg-type]
    assert tokenizer.texts


def test_a_text_is_never_split_without_a_limit_or_with_a_slow_tokenizer() -> None:
    assert split("字" * 99, None) == ["字" * 99]
    slow = SimpleNamespace(is_fast=False)
    assert split_by_tokens("字" * 99, "", slow, 20) == ["字" * 99]  # type: ignore[arg-type]


def test_windows_end_with_words() -> None:
    text = "one two three four five six seven"
    parts = split(text, 20)
    assert "".join(parts) == text
    assert all(part.startswith(" ") for part in parts[1:])


@pytest.mark.parametrize(
    ("words", "size", "starts"),
    [
        ([0] * 10, 10, [0]),
        ([0] * 11, 10, [0, 6]),
        ([0] * 20, 10, [0, 10]),
        ([0] * 21, 10, [0, 7, 14]),
        (list(range(11)), 10, [0, 6]),
        ([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], 10, [0, 5]),
        ([0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 10, [0, 1]),
        ([0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2], 6, [0, 2, 7]),
        ([None, None, 0, 0], 3, [0, 2]),
    ],
)
def test_windows_are_equal_and_start_at_words(words: list[int | None], size: int, starts: list[int]) -> None:
    assert choose_window_starts(words, size) == starts


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("abcdefgh", 8, ["abcdefgh"]),
        ("abcdefghi", 8, ["abcd", "efghi"]),
        ("ab cdefghi", 8, ["ab ", "cdefghi"]),
        ("a bcdefghi", 8, ["a bcd", "efghi"]),
        ("abcd efghi", 8, ["abcd ", "efghi"]),
        ("abcde fghi", 8, ["abcde", " fghi"]),
        ("字字字", 8, ["字", "字字"]),
        ("字 字字字字", 12, ["字 ", "字字字字"]),
    ],
)
def test_a_text_is_halved_after_the_last_space_of_its_second_quarter(text: str, limit: int, parts: list[str]) -> None:
    assert split_by_bytes(text, limit) == parts
