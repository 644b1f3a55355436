"""Batches at their exact limits."""

import pytest

from heimdex.embedders.batching import estimate_tokens, pack_batches, sort_longest_first


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
        ([0, 0, 0, 0, 0, 0, 0], [[0, 1, 2], [3, 4, 5], [6]]),
    ],
)
def test_a_batch_has_at_most_three_inputs_and_ten_tokens(sizes: list[int], batches: list[list[int]]) -> None:
    assert pack_batches(sizes, list(range(len(sizes))), 3, 10) == batches


def test_sizes_belong_to_positions_and_not_to_places_in_the_order() -> None:
    assert pack_batches([9, 1, 1], [2, 1, 0], 3, 10) == [[2, 1], [0]]


def test_the_longest_text_comes_first_and_equal_ones_keep_their_order() -> None:
    assert sort_longest_first(["aa", "b", "cccc", "dd"]) == [2, 0, 3, 1]
