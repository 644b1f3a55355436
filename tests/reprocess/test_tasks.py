"""Tasks that an earlier release queued run after an upgrade."""

import pytest
from django.utils.module_loading import import_string

from reprocess import tasks


@pytest.mark.parametrize(
    ("queued", "current"),
    [
        ("reprocess.tasks.renew_people", tasks.refresh_people),
        ("reprocess.tasks.wake_forgotten_people", tasks.requeue_stale_people),
    ],
)
def test_a_task_queued_under_its_earlier_name_still_runs(queued: str, current: object) -> None:
    assert import_string(queued) is current
