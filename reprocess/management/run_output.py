"""How commands show a run on a terminal: its counters, and a progress bar until it ends."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from reprocess.models import ReprocessRun
from reprocess.reports.run_progress import measure_progress

_POLL_S = 0.3
_WARN_AFTER = timedelta(seconds=15)
_NO_WORKER = "No worker has taken the run yet. `manage.py status` shows whether workers are running; `manage.py up` starts them."


def format_counter(counter: Mapping[str, Any]) -> str:
    """Return a line with the outcomes of one channel."""
    outcomes = ", ".join(f"{counter[outcome]} {outcome}" for outcome in ("done", "skipped", "empty", "failed"))
    return f"  {counter['channel']:<12} {outcomes} of {counter['planned']}"


def wait_for_run(run: ReprocessRun, *, quiet: bool) -> None:
    """Wait until a run has ended or is paused, with a progress bar on stderr unless `quiet`. Warn when no worker takes it for 15 s."""
    console = Console(stderr=True, quiet=quiet)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    has_warned = False
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(f"Reprocessing {run.video_count} video(s)", total=100)
        while run.state in ReprocessRun.OPEN:
            time.sleep(_POLL_S)
            run.refresh_from_db()
            bar.update(task, completed=measure_progress(run).percent)
            if not has_warned and run.state == ReprocessRun.State.QUEUED and timezone.now() - run.created_at > _WARN_AFTER:
                has_warned = True
                console.print(_NO_WORKER)
