"""The comparison of two rankings, and the description of gaps."""

from uuid import UUID

import pytest

from reprocess.cutover.coverage import Coverage, describe_gaps
from reprocess.cutover.evaluation import Comparison, ComparisonSerializer, QueryChange, compare_results


def make_ids(*numbers: int) -> list[UUID]:
    return [UUID(int=number) for number in numbers]


@pytest.mark.parametrize(
    ("earlier", "later", "overlap", "rank_move"),
    [
        (make_ids(1, 2, 3), make_ids(1, 2, 3), 1.0, 0.0),
        (make_ids(1, 2, 3), make_ids(3, 2, 1), 1.0, 4 / 3),
        (make_ids(1, 2), make_ids(3, 4), 0.0, None),
        (make_ids(1), make_ids(1, 2, 3, 4), 0.25, 0.0),
        ([], [], 1.0, None),
        ([], make_ids(1), 0.0, None),
        # A scene below rank 10 does not count for the overlap, but its move does.
        (make_ids(*range(1, 11)), make_ids(*range(2, 12), 1), 0.9, (11 - 1 + 9 * 1) / 10),
    ],
)
def test_overlap_and_rank_moves_of_two_rankings(earlier: list[UUID], later: list[UUID], overlap: float, rank_move: float | None) -> None:
    assert compare_results(7, earlier, later) == QueryChange(7, pytest.approx(overlap), rank_move and pytest.approx(rank_move))


def test_the_report_lists_at_most_twenty_queries_that_change_most() -> None:
    report = ComparisonSerializer(Comparison(tuple(QueryChange(number, number / 50, None) for number in range(50)))).data
    assert (report["queries"], report["overlap_at_10"], report["mean_rank_move"]) == (50, pytest.approx(0.49), None)
    assert [change["query"] for change in report["details"]] == list(range(20))
    assert ComparisonSerializer(Comparison(())).data["overlap_at_10"] is None


def test_with_equal_overlap_the_query_with_the_larger_rank_move_comes_first() -> None:
    changes = (
        QueryChange(1, 0.5, 0.1),
        QueryChange(2, 0.5, 3.0),
        QueryChange(3, 0.5, None),
        QueryChange(4, 0.4, 0.0),
        QueryChange(5, 0.5, 0.0),
    )
    assert [change.query for change in Comparison(changes).largest_changes] == [4, 2, 1, 3, 5]


def test_gaps_are_described_per_channel() -> None:
    assert describe_gaps([Coverage("clip", "scenes", 10, 7, 3, 0)], 0) == []
    assert describe_gaps([Coverage("clip", "scenes", 10, 7, 2, 1)], 0) == ["clip: 1 failed of 10 scenes"]
    assert describe_gaps([Coverage("clip", "scenes", 10, 7, 2, 1)], 1) == []
    assert describe_gaps([Coverage("clip", "scenes", 10, 5, 1, 1)], 1) == ["clip: 3 missing of 10 scenes"]
