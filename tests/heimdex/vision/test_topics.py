"""The topic of a text changes where its words do, and some words distinguish topics."""

import math
import random
from collections import Counter
from itertools import combinations, pairwise

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


def compute_cost(blocks: list[list[str]], starts: tuple[int, ...]) -> float:
    """Return the negative logarithm of a division's probability, in closed form."""
    size = 2.0 * len({word for block in blocks for word in block})
    cost = 0.0
    for start, end in pairwise([*starts, len(blocks)]):
        counts = Counter(word for block in blocks[start:end] for word in block)
        cost += math.log(len(blocks)) + math.lgamma(counts.total() + size) - math.lgamma(size)
        cost -= sum(math.lgamma(count + 2.0) - math.lgamma(2.0) for count in counts.values())
    return cost


@pytest.mark.parametrize("seed", range(20))
def test_the_most_probable_division_is_found(seed: int) -> None:
    chance = random.Random(seed)
    topic, blocks = 0, []
    for _ in range(9):
        topic = chance.randrange(6) if chance.random() < 0.5 else topic
        blocks.append([f"word{topic}{chance.randrange(3)}" for _ in range(chance.randrange(2, 9))])
    divisions = [(0, *starts) for number in range(9) for starts in combinations(range(1, 9), number)]
    best = min(divisions, key=lambda starts: compute_cost(blocks, starts))
    assert find_topic_starts(blocks, [1.0] * 9, 0.0) == list(best)


def test_many_topics_start_in_order() -> None:
    blocks = [[f"word{topic}"] * 20 for topic in range(6) for _ in range(2)]
    assert find_topic_starts(blocks, [1.0] * 12, 0.0) == [0, 2, 4, 6, 8, 10]
