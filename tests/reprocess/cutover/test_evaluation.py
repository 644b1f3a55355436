"""The comparison of two ranked answers."""

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
        # Beyond the tenth place a scene no longer counts for the overlap, but how far it moved does.
        (make_ids(*range(1, 11)), make_ids(*range(2, 12), 1), 0.9, (11 - 1 + 9 * 1) / 10),
    ],
)
def test_overlap_and_moves(earlier: list[UUID], later: list[UUID], overlap: float, rank_move: float | None) -> None:
    assert compare_results(7, earlier, later) == QueryChange(7, pytest.approx(overlap), rank_move and pytest.approx(rank_move))


def test_the_report_names_the_queries_that_change_most_and_no_more_than_twenty() -> None:
    report = ComparisonSerializer(Comparison(tuple(QueryChange(number, number / 50, None) for number in range(50)))).data
    assert (report["queries"], report["overlap_at_10"], report["mean_rank_move"]) == (50, pytest.approx(0.49), None)
    assert [entry["query"] for entry in report["details"]] == list(range(20))
    assert ComparisonSerializer(Comparison(())).data["overlap_at_10"] is None


def test_of_two_queries_with_one_overlap_the_one_that_moves_more_comes_first() -> None:
    changes = (
        QueryChange(1, 0.5, 0.1),
        QueryChange(2, 0.5, 3.0),
        QueryChange(3, 0.5, None),
        QueryChange(4, 0.4, 0.0),
        QueryChange(5, 0.5, 0.0),
    )
    assert [change.query for change in Comparison(changes).largest_changes] == [4, 2, 1, 3, 5]


def test_describes_what_a_channel_lacks() -> None:
    assert describe_gaps([Coverage("clip", "scenes", 10, 7, 3, 0)], 0) == []
    assert describe_gaps([Coverage("clip", "scenes", 10, 7, 2, 1)], 0) == ["clip: 1 failed of 10 make_ids"]
    assert describe_gaps([Coverage("clip", "scenes", 10, 7, 2, 1)], 1) == []
    assert describe_gaps([Coverage("clip", "scenes", 10, 5, 1, 1)], 1) == ["clip: 3 missing of 10 make_ids"]
