"""`manage.py reprocess_embeddings --trial`: work on a trial in this process, and print its report."""

import json
from argparse import ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from reprocess.actions.trials import MAX_SIZE, TrialNotNeeded, start_trial
from reprocess.management.run_output import work_on_trial
from reprocess.models import ReprocessRun, Trial
from reprocess.planning.scope import Scope
from reprocess.reports.trials import describe_trial
from videos.evaluation.judgments import read_judgments
from videos.evaluation.references import ResolvedQuery, resolve_queries
from videos.evaluation.text_files import InvalidFile
from videos.models import Video

CANCELED = "The trial was canceled. What it has computed is kept: the same command continues there."


def parse_size(text: str) -> int:
    """Return the number of scenes of a trial. Raise ArgumentTypeError for anything else than 1 to MAX_SIZE."""
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= MAX_SIZE:
        raise ArgumentTypeError(f"{text!r} is not a number of scenes. Give one from 1 to {MAX_SIZE}, for example 100")
    return int(text)


def check_options(options: dict[str, Any]) -> None:
    """Raise CommandError with exit code 2 for options that do not fit together."""
    if options["judgments"] and (not options["trial"] or options["scope"] == ReprocessRun.Scope.ALL):
        raise CommandError("--judgments belongs to --trial with --scope owner or video, because it judges one library.", returncode=2)
    for name in ("force", "dry_run"):
        if options["trial"] and options[name]:
            option = name.replace("_", "-")
            raise CommandError(f"--trial and --{option} exclude each other: a trial computes, and only stale vectors.", returncode=2)


def run_trial(scope: Scope, options: dict[str, Any], stdout: OutputWrapper) -> None:
    """Work on a trial of a scope until it ends, and print its report. Raise CommandError when it did not succeed.

    Raise ScopeNotFound for an unknown video or owner.
    """
    scope.require_existing()
    try:
        run = start_trial(
            scope,
            size=options["trial"],
            entry_point=ReprocessRun.EntryPoint.COMMAND,
            requested_by=None,
            max_cost=options["max_cost"],
            judged=_read_judgments(scope, options["judgments"]),
            in_foreground=True,
        )
    except TrialNotNeeded as error:
        answer = {"run_id": None, "state": "not needed", "report": None, "error": str(error)}
        stdout.write(json.dumps(answer) if options["json"] else str(error))
        return
    work_on_trial(run, quiet=options["json"])
    report = Trial.objects.get(run=run).report
    if options["json"]:
        stdout.write(json.dumps({"run_id": str(run.pk), "state": run.state, "report": report, "error": run.error}))
    elif report:
        stdout.write("\n".join(describe_trial(report)))
    if run.state == ReprocessRun.State.CANCELLED:
        raise CommandError(CANCELED, returncode=1)
    if run.state != ReprocessRun.State.SUCCEEDED:
        raise CommandError(run.error or f"The trial is {run.state}.", returncode=1)


def _read_judgments(scope: Scope, file: Path | None) -> Sequence[ResolvedQuery]:
    if file is None:
        return ()
    owner_id = Video.objects.values_list("owner_id", flat=True).get(pk=scope.video_id) if scope.video_id else scope.owner_id
    assert owner_id
    try:
        return resolve_queries(file, owner_id, read_judgments(file))
    except InvalidFile as error:
        raise CommandError(str(error), returncode=2) from error
