"""The time limit of a stage, and the renewals of its lease."""

from threading import Event
from unittest import mock

import pytest
from django.conf import LazySettings

from heimdex.leases import Lease
from videos.ingest.heartbeat import compute_time_limit, keep_lease


def test_a_stage_has_time_for_the_duration_and_the_size_of_its_video() -> None:
    assert compute_time_limit(600.0, 20.0, 30.0, 5_000_000) == 600 + 20 * 30 + 5
    assert compute_time_limit(600.0, 20.0, 0.0, 0) == 600


@pytest.mark.parametrize(("limit_s", "waits_s"), [(1000.0, 15.0), (2.0, 2.0)])
def test_a_lease_is_renewed_four_times_within_its_duration(settings: LazySettings, limit_s: float, waits_s: float) -> None:
    settings.LEASE_SECONDS = 60
    waited: list[float] = []

    class RecordingEvent(Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0.0)
            return True

    with mock.patch("videos.ingest.heartbeat.Event", RecordingEvent), keep_lease(mock.Mock(spec=Lease), limit_s, lambda: None):
        pass
    assert waited == [pytest.approx(waits_s, abs=0.5)]
