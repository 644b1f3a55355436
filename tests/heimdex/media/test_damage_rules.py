"""Losses are counted at the exact limits, without decoding a file."""

import pytest

from heimdex.media.damage import DecodingStats, LossCounter, describe_damage


def count_losses(frames: list[float], packets: list[float], start_s: float = 0.0, fps: float = 10.0) -> DecodingStats:
    """Record all packets, then all frames, and finish."""
    counter = LossCounter(fps, start_s)
    for time_s in packets:
        counter.record_packet(time_s)
    for time_s in frames:
        counter.record_frame(time_s)
    counter.finish()
    return counter.take_stats()


def list_times(start: int, end: int) -> list[float]:
    """Return the times of frames at ten per second."""
    return [number / 10 for number in range(start, end)]


def test_nothing_is_lost_when_every_packet_becomes_a_frame() -> None:
    assert count_losses(list_times(0, 20), list_times(0, 20)) == DecodingStats(20, 0, 0)


def test_packets_without_frames_in_a_gap_are_lost() -> None:
    assert count_losses([*list_times(0, 5), *list_times(8, 20)], list_times(0, 20)) == DecodingStats(17, 3, 0)


def test_a_pause_without_packets_is_no_loss() -> None:
    frames = [*list_times(0, 5), *list_times(8, 20)]
    assert count_losses(frames, frames).lost == 0


def test_packets_that_never_become_frames_of_their_own_are_no_loss_without_a_gap() -> None:
    assert count_losses(list_times(0, 20), sorted([*list_times(0, 20), *list_times(0, 20)])).lost == 0


def test_a_gap_bounds_the_losses() -> None:
    """Ten packets without frames are between two frames that leave room for two."""
    packets = sorted([0.0, 0.3, *(0.1 + number / 100 for number in range(10))])
    assert count_losses([0.0, 0.3], packets).lost == 2


@pytest.mark.parametrize(("first", "lost"), [(5, 0), (9, 0), (11, 11)])
def test_a_gap_at_the_start_is_damage_only_when_it_exceeds_a_second(first: int, lost: int) -> None:
    assert count_losses(list_times(first, 30), list_times(0, 30)).lost == lost


def test_a_gap_of_exactly_a_second_at_the_start_is_no_damage() -> None:
    packets = [number / 8 for number in range(16)]
    assert count_losses(packets[7:], packets, fps=8.0).lost == 0
    assert count_losses(packets[8:], packets, fps=8.0).lost == 8


def test_times_count_from_the_start_of_the_video() -> None:
    times = [50 + time_s for time_s in list_times(0, 20)]
    assert count_losses(times, times, start_s=50.0).lost == 0
    assert count_losses(times[12:], times, start_s=50.0).lost == 12


def test_packets_after_the_last_frame_are_lost() -> None:
    assert count_losses(list_times(0, 15), list_times(0, 20)).lost == 5
    assert count_losses(list_times(0, 15), [*list_times(0, 15), 1.5, 1.52, 1.54]).lost == 1
    assert count_losses([], list_times(0, 20)).lost == 20


def test_a_late_frame_does_not_set_the_time_back() -> None:
    assert count_losses([0.0, 0.1, 0.5, 0.2, 0.6], [0.0, 0.1, 0.2, 0.5, 0.6]).lost == 1
    assert count_losses([0.0, 0.1, 0.2, 0.1, 0.3], [0.0, 0.1, 0.2, 0.3, 0.3]).lost == 0


def test_partial_frames_are_counted_and_statistics_start_again() -> None:
    counter = LossCounter(10.0, 0.0)
    counter.record_frame(0.0, is_complete=False)
    counter.record_frame(0.1)
    assert counter.take_stats() == DecodingStats(2, 0, 1)
    assert counter.take_stats() == DecodingStats(0, 0, 0)
    assert DecodingStats(1, 2, 3) + DecodingStats(10, 20, 30) == DecodingStats(11, 22, 33)


@pytest.mark.parametrize(
    ("actual_s", "stated_s", "ends_early"),
    [(50.0, 52.0, False), (50.0, 52.1, True), (980.0, 1000.0, False), (979.0, 1000.0, True), (10.0, None, False), (52.0, 50.0, False)],
)
def test_a_file_ends_early_when_two_seconds_and_two_percent_are_missing(actual_s: float, stated_s: float | None, ends_early: bool) -> None:
    assert bool(describe_damage(DecodingStats(100), actual_s, stated_s)) is ends_early


def test_the_notice_names_the_durations() -> None:
    notice = describe_damage(DecodingStats(100), 59.4, 125.0)
    assert "2 min 5 s" in notice
    assert "59 s" in notice
    assert "0 min" not in notice
    assert "1 min 0 s" in describe_damage(DecodingStats(100), 60.0, 125.0)


@pytest.mark.parametrize(
    ("decoded", "share"),
    [
        (DecodingStats(90, 10, 0), "About 10 %"),
        (DecodingStats(80, 20, 20), "About 40 %"),
        (DecodingStats(99, 1, 0), "About 1 %"),
        (DecodingStats(100, 0, 1), "About 1 %"),
        (DecodingStats(999, 1, 0), "Less than 1 %"),
    ],
)
def test_the_notice_names_the_share_of_damaged_frames(decoded: DecodingStats, share: str) -> None:
    notice = describe_damage(decoded, 10.0, None)
    assert notice.startswith(share)
    assert notice.endswith("Upload a better copy if you have one.")


@pytest.mark.parametrize(("packet", "lost"), [(0.43, 1), (0.4375, 0), (0.55, 0), (0.6, 1)])
def test_a_packet_belongs_to_a_frame_within_half_a_frame(packet: float, lost: int) -> None:
    """At eight frames per second, half a frame is 0.0625 s."""
    assert count_losses([0.0, 0.5, 1.5], sorted([0.0, 0.5, packet, 1.5]), fps=8.0).lost == lost


def test_an_irregular_frame_rate_without_a_gap_has_no_losses() -> None:
    assert count_losses([0.0, 0.12], [0.0, 0.06, 0.12]).lost == 0


def test_statistics_start_at_zero() -> None:
    assert DecodingStats() == DecodingStats(0, 0, 0)
