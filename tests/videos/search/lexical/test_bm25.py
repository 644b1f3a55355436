"""BM25's coverage of a query, and the windows of scenes, without a database."""

from math import log
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videos.search.lexical.bm25 import compute_coverage, compute_idf, saturate
from videos.search.lexical.windows import iter_window, spread

FILM, OTHER = UUID(int=1), UUID(int=2)


def test_a_rare_word_weighs_more_and_an_unknown_one_most() -> None:
    assert compute_idf(100, 1) == pytest.approx(log(1 + 99.5 / 1.5))
    assert compute_idf(100, 0) > compute_idf(100, 1) > compute_idf(100, 50) > compute_idf(100, 100) > 0
    assert compute_idf(0, 0) == 1


def test_the_saturation_has_its_constants() -> None:
    # k1 = 1.2 and b = 0.75: a word once in a text of mean length earns 1 / (1 + 1.2), in one twice as long 1 / (1 + 1.2 · 1.75).
    assert saturate(1, 10, 10) == pytest.approx(1 / 1.6)
    assert saturate(1, 20, 10) == pytest.approx(1 / 2.05)
    assert saturate(3, 10, 10) == pytest.approx(3 / 3.6)
    assert saturate(0, 10, 10) == 0


@given(st.lists(st.tuples(st.floats(0.01, 15), st.floats(0, 0.999)), min_size=1, max_size=32))
def test_a_coverage_is_below_one_and_a_missing_word_lowers_it(parts: list[tuple[float, float]]) -> None:
    total = sum(idf for idf, _ in parts)
    assert 0 <= compute_coverage(parts, total) < 1
    assert compute_coverage(parts, total + 3) <= compute_coverage(parts, total)


def test_words_count_in_three_scenes_to_each_side_less_with_the_distance() -> None:
    assert spread({(FILM, 5): 2.0}) == {
        (FILM, 5): 2.0,
        (FILM, 4): 1.0,
        (FILM, 6): 1.0,
        (FILM, 3): 0.6,
        (FILM, 7): 0.6,
        (FILM, 2): 0.3,
        (FILM, 8): 0.3,
    }
    assert spread({(FILM, 0): 1.0, (FILM, 1): 1.0})[FILM, 0] == 1.5
    assert (OTHER, 5) not in spread({(FILM, 5): 1.0})
    assert min(index for index, _ in iter_window(1)) == 0


@given(st.sets(st.integers(0, 30), min_size=1))
def test_no_neighbor_surpasses_the_best_of_the_scenes_that_hold_the_word(indexes: set[int]) -> None:
    sums = spread({(FILM, index): 1.0 for index in indexes})
    for (_, index), value in sums.items():
        if index not in indexes:
            near = [sums[FILM, place] for place, _ in iter_window(index) if place in indexes]
            assert value < max(near)
