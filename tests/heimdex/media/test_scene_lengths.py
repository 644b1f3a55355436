"""No scene is too short or too long, and a take that is split is split where it is calm."""

import itertools

import pytest

from heimdex.media.scene_lengths import SceneLengthLimiter


def borders(duration_s: float, cuts: list[float], *, longest_s: float = 60.0, busy: tuple[float, float] = (0.0, 0.0)) -> list[float]:
    """Feed ten frames a second in which something moves from `busy[0]` to `busy[1]`, and cuts two seconds after they happened."""
    lengths = SceneLengthLimiter(longest_s)
    found = []
    left = list(cuts)
    for frame in range(round(duration_s * 10)):
        time_s = frame / 10
        due = [cut for cut in left if time_s - cut >= 2]
        left = left[len(due) :]
        found += lengths.add(time_s, 9.0 if busy[0] <= time_s < busy[1] else 0.5, due)
    return found + lengths.finish(duration_s, left)


def test_of_cuts_that_lie_close_together_the_first_counts() -> None:
    assert borders(30, [0.5, 5.0, 5.9, 6.0, 20.0]) == [5.0, 6.0, 20.0]


def test_the_last_scene_is_not_shorter_than_others() -> None:
    assert borders(30, [10.0, 29.2]) == [10.0]
    assert borders(30, [10.0, 29.0]) == [10.0, 29.0]


def test_a_long_take_is_split_where_it_is_calm() -> None:
    (found,) = borders(90, [], busy=(38, 90))
    assert 36 <= found <= 38


def test_an_hour_in_which_nothing_moves_is_split_as_rarely_as_can_be() -> None:
    found = borders(3600, [])
    edges = [0.0, *found, 3600.0]
    lengths = [end - begin for begin, end in itertools.pairwise(edges)]
    assert max(lengths) <= 60.0
    assert min(lengths) >= 1.0
    assert len(lengths) == pytest.approx(60, abs=3)


def test_a_split_leaves_no_scrap_before_the_next_cut_or_the_end() -> None:
    for cut in (60.1, 60.6, 61.5):
        found = borders(cut + 20, [cut])
        assert cut in found
        assert all(after - before >= 1.0 for before, after in itertools.pairwise([0.0, *found]))
    (found_before_end,) = borders(60.4, [])
    assert found_before_end <= 59.5
