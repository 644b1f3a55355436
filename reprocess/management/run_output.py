"""Show plans and runs on a terminal: tables, counters, and a progress bar until a run ends."""

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from heimdex.errors import WrongState
from reprocess.actions.runs import cancel_run
from reprocess.models import ReprocessRun
from reprocess.planning.search_index import count_planned_documents
from reprocess.reports.runs import measure_progress
from reprocess.runs.counters import OUTCOMES
from reprocess.runs.worker import run_worker

_POLL_S = 0.3
_WAIT_S = 1.0
_COLUMNS = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
_WARN_AFTER = timedelta(seconds=15)
_NO_WORKER = "No worker has started the run yet. `manage.py status` shows whether workers are running. `manage.py up` starts them."


def build_plan_table(plan: dict[str, Any]) -> Table:
    """Build a table with a row per channel and the totals in the caption. `plan` is the JSON form of a plan."""
    table = Table(
        title=f"Plan for spec version {plan['spec_version']} ({plan['videos']} video(s))",
        caption=f"{_format_stale(plan)}; {plan['model_calls']} model calls{_format_estimates(plan)}",
    )
    for heading in ("step", "channel", "in scope", "stale", "why", "model calls"):
        table.add_column(heading, justify="right" if heading in ("in scope", "stale", "model calls") else "left")
    for channel in plan["channels"]:
        why = ", ".join(f"{cause}: {number}" for cause, number in channel["causes"].items()) or "–"
        table.add_row(
            channel["step"],
            channel["channel"],
            f"{channel['subjects']} {channel['kind']}",
            str(channel["stale"]),
            why,
            str(channel["model_calls"]),
        )
    return table


def build_owners_table(plan: dict[str, Any], owners: list[tuple[str, dict[str, Any]]]) -> Table | None:
    """Build a table of the owners with the most stale vectors. Return None when fewer than two owners have any.

    `owners` are pairs of an e-mail address and the owner's part of the plan.
    """
    if plan["stale_owners"] < 2:
        return None
    more = plan["stale_owners"] - len(owners)
    table = Table("owner", title="By owner", caption=f"and {more} more owner(s)" if more else None)
    for heading in ("scenes", "stale"):
        table.add_column(heading, justify="right")
    for email, owner in owners:
        table.add_row(email, str(owner["scenes"]), str(owner["stale"]))
    return table


def format_counter(counter: Mapping[str, Any]) -> str:
    """Return a line with the outcomes of one channel."""
    outcomes = ", ".join(f"{counter[outcome]} {outcome.replace('_', ' ')}" for outcome in (*OUTCOMES, "not_begun"))
    return f"  {counter['channel']:<12} {outcomes} of {counter['planned']}"


def wait_for_run(run: ReprocessRun, *, quiet: bool) -> None:
    """Wait until a run has ended or somebody has to resume it, with a progress bar on stderr unless `quiet`.

    Warn when no worker starts it within 15 s, and say what it waits for during an outage.
    """
    console = Console(stderr=True, quiet=quiet)
    has_warned, waited_for = False, ""
    with Progress(*_COLUMNS, console=console) as bar:
        task = bar.add_task(f"Reprocessing {run.video_count} video(s)", total=100)
        while run.state in ReprocessRun.OPEN or run.waits_for:
            time.sleep(_POLL_S)
            run.refresh_from_db()
            bar.update(task, completed=measure_progress(run).percent)
            if run.waits_for != waited_for:
                waited_for = run.waits_for
                console.print(run.error or "The outage is over; the run continues.", markup=False)
            if not has_warned and run.state == ReprocessRun.State.QUEUED and timezone.now() - run.created_at > _WARN_AFTER:
                has_warned = True
                console.print(_NO_WORKER)


def work_on_trial(run: ReprocessRun, *, quiet: bool) -> None:
    """Work on a trial in this process until it has ended or somebody has to resume it, with a progress bar on stderr unless `quiet`.

    Other workers may help. During an outage, wait for its end. When interrupted, cancel the trial.
    """
    console = Console(stderr=True, quiet=quiet)
    waited_for = ""
    with Progress(*_COLUMNS, console=console) as bar:
        task = bar.add_task("Trying a sample", total=100)

        def show_progress() -> None:
            bar.update(task, completed=measure_progress(ReprocessRun.objects.get(pk=run.pk)).percent)

        try:
            while run.state in ReprocessRun.OPEN or run.waits_for:
                if run.state in ReprocessRun.OPEN:
                    run_worker(run.pk, show_progress)
                run.refresh_from_db()
                if run.waits_for != waited_for:
                    waited_for = run.waits_for
                    console.print(run.error or "The outage is over; the trial continues.", markup=False)
                if run.state in ReprocessRun.OPEN or run.waits_for:
                    # Another worker has the rest, or died with it.
                    time.sleep(_WAIT_S)
        except KeyboardInterrupt:
            with suppress(WrongState):
                cancel_run(run.pk)
            run.refresh_from_db()
        bar.update(task, completed=measure_progress(run).percent)


def _format_estimates(plan: dict[str, Any]) -> str:
    if not plan["stale"]:
        return ""
    seconds = plan["seconds"]
    time = f"{seconds[0]:.0f} to {seconds[1]:.0f} s" if seconds else "time not measured yet"
    return f", about {plan['tokens']} tokens, cost {plan['cost']}; {time}"


def _format_stale(plan: dict[str, Any]) -> str:
    documents = count_planned_documents(plan)
    stale = {"vectors": plan["stale"] - documents, "documents of the search index": documents}
    return (
        " and ".join(f"{number} {name}" for name, number in stale.items() if number) + " are stale" if plan["stale"] else "nothing is stale"
    )
