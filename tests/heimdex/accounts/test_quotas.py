"""The rules of a quota: what fits exactly is allowed, and each refusal names what is left."""

import pytest

from heimdex.accounts.quotas import Quota, Usage

FREE = Quota(max_bytes=None, max_minutes=None, max_open_uploads=2)
TIGHT = Quota(max_bytes=1000, max_minutes=10, max_open_uploads=2)


def test_usage_is_added_up() -> None:
    assert Usage(1, 2.5, 3) + Usage(10, 20.0, 30) == Usage(11, 22.5, 33)
    assert Usage() == Usage(0, 0.0, 0)
    assert (Usage(seconds=89).minutes, Usage(seconds=60).minutes) == (1.5, 1.0)


@pytest.mark.parametrize(("used", "size", "is_allowed"), [(0, 1000, True), (0, 1001, False), (999, 1, True), (1000, 1, False)])
def test_bytes_are_allowed_up_to_the_limit(used: int, size: int, is_allowed: bool) -> None:
    assert (TIGHT.find_upload_problem(Usage(used), size) is None) == is_allowed
    assert FREE.find_upload_problem(Usage(used), size) is None


def test_what_is_left_is_never_negative() -> None:
    problem = TIGHT.find_upload_problem(Usage(5000), 1)
    assert problem is not None
    assert "only 0\xa0bytes of your 1000\xa0bytes are free" in problem
    longer = TIGHT.find_length_problem(Usage(seconds=900), 60)
    assert longer is not None
    assert "only 0 of your 10 minutes are left" in longer


@pytest.mark.parametrize(("used", "is_allowed"), [(0, True), (1, True), (2, False), (3, False)])
def test_open_uploads_are_allowed_up_to_the_limit(used: int, is_allowed: bool) -> None:
    assert (FREE.find_upload_problem(Usage(open_uploads=used), 1) is None) == is_allowed


@pytest.mark.parametrize(("used_s", "is_allowed"), [(0, True), (599.9, True), (600, False), (601, False)])
def test_another_video_is_allowed_while_a_second_is_left(used_s: float, is_allowed: bool) -> None:
    assert (TIGHT.find_video_problem(Usage(seconds=used_s)) is None) == is_allowed
    assert FREE.find_video_problem(Usage(seconds=used_s)) is None


@pytest.mark.parametrize(("used_s", "duration_s", "is_allowed"), [(0, 600, True), (0, 600.1, False), (540, 60, True), (541, 60, False)])
def test_a_video_may_use_exactly_the_minutes_that_are_left(used_s: float, duration_s: float, is_allowed: bool) -> None:
    assert (TIGHT.find_length_problem(Usage(seconds=used_s), duration_s) is None) == is_allowed
    assert FREE.find_length_problem(Usage(seconds=used_s), duration_s) is None


def test_a_refused_length_names_all_three_numbers() -> None:
    problem = TIGHT.find_length_problem(Usage(seconds=500), 119)
    assert problem is not None
    assert problem.startswith("This video lasts 1.9 minutes, but only 1.6 of your 10 minutes are left.")
