"""The topic of a text changes where its words do, and some words distinguish topics."""

import pytest

from heimdex.vision.topics import extract_topic_words, find_topic_starts, stem


def test_empty_and_single_word_texts_have_at_most_one_topic() -> None:
    assert find_topic_starts([], [], 60) == []
    assert find_topic_starts([[], []], [10, 10], 60) == [0]
    assert find_topic_starts([["boat"]], [10], 60) == [0]
    assert extract_topic_words("They would have BOATS, boat-house & 1234; süß Straßen") == ["boat", "boat", "house", "strassen"]


@pytest.mark.parametrize(
    ("words", "blocks", "starts"),
    # Two topics without a common word. A stronger prior joins the first, and a weaker one divides the second.
    [(2, 2, [0, 2]), (3, 1, [0]), (4, 1, [0, 1])],
)
def test_the_prior_weighs_words_against_another_topic(words: int, blocks: int, starts: list[int]) -> None:
    first, second = ([f"{topic}{index}" for index in range(words)] for topic in ("boat", "garden"))
    assert find_topic_starts([*[first] * blocks, *[second] * blocks], [20.0] * 2 * blocks, 20.0) == starts


@pytest.mark.parametrize(("shortest_s", "starts"), [(40.0, [0, 2]), (40.1, [0])])
def test_no_topic_is_shorter_than_allowed(shortest_s: float, starts: list[int]) -> None:
    blocks = [*[["boat", "coast", "sail"] * 5] * 2, *[["soil", "seed", "tree"] * 5] * 2]
    assert find_topic_starts(blocks, [20.0] * 4, shortest_s) == starts


@pytest.mark.parametrize(("word", "expected"), [("Boats", "boat"), ("news", "news"), ("glass", "glass"), ("STRASSEN", "strassen")])
def test_a_word_of_five_letters_loses_its_plural(word: str, expected: str) -> None:
    assert stem(word) == expected


def test_topic_words_have_four_letters() -> None:
    assert extract_topic_words("sea boat ship oak") == ["boat", "ship"]
