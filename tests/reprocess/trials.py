"""Trials that tests start, work on and read."""

from typing import Any

from heimdex.accounts.models import User
from reprocess.actions.trials import start_trial
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.worker import run_worker
from tests.reprocess.cutover.synonyms import JUDGED
from videos.actions.judgments import judge_scene
from videos.models import Scene


def start(scope: Scope | None = None, size: int = 3, **options: Any) -> ReprocessRun:
    return start_trial(scope or Scope("all"), size=size, entry_point="command", requested_by=None, **options)


def work(trial: ReprocessRun) -> ReprocessRun:
    run_worker(trial.pk)
    return ReprocessRun.objects.prefetch_details().get(pk=trial.pk)


def try_change(scope: Scope | None = None, size: int = 3, **options: Any) -> dict[str, Any]:
    """Work on a trial, by default over everything, until it ends, and return its report."""
    trial = work(start(scope, size, **options))
    assert trial.state == "succeeded"
    return get_report(trial)


def get_report(trial: ReprocessRun) -> dict[str, Any]:
    assert trial.trial.report
    return trial.trial.report


def judge_all(owner: User) -> None:
    for query, reference in JUDGED.items():
        title, _, index = reference.partition("#")
        judge_scene(owner, query, Scene.objects.get(video__title=title, index=index, owner=owner).pk, fits=True)
