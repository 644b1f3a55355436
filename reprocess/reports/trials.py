"""Trials as API, admin and commands show them. A report is given in its JSON form."""

from collections.abc import Iterator, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from heimdex.accounts.models import User
from reprocess.models import ReprocessItem, ReprocessRun, Trial
from reprocess.reports.changes import format_comparison, format_judged
from reprocess.runs.trial_report import TrialReportSerializer


@extend_schema_field(TrialReportSerializer(allow_null=True))
class StoredReportField(serializers.JSONField):
    """A trial's report as it was stored when the trial ended."""


class TrialSerializer(serializers.ModelSerializer[Trial]):
    """What makes a run a trial: its sample, and the report that it ends with."""

    report = StoredReportField(read_only=True, help_text="Null until the trial has ended.")

    class Meta:
        model = Trial
        fields = ("size", "report")


def format_queued_trial(*runs: ReprocessRun) -> str:
    """Return the message that confirms queued trials."""
    scenes = sum(len(ids) for ids in ReprocessItem.objects.filter(run__in=runs).values_list("scene_ids", flat=True) if ids)
    return f"Queued a trial of {scenes} scene(s) using spec version {runs[0].spec_version}. Search stays as it is"


def describe_trial(report: Mapping[str, Any]) -> list[str]:
    """Return the lines of a trial's report, with the e-mail addresses of its owners."""
    users = User.objects.in_bulk([owner["owner_id"] for owner in report["owners"]])
    return list(format_trial(report, {str(key): user.email for key, user in users.items()}))


def format_trial(report: Mapping[str, Any], emails: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of a trial's report: the sample, what it took, what the full run would take, and what each owner gains."""
    yield f"Tried {report['sampled']} scenes ({report['stale']} are stale); search still reads the old vectors"
    yield _format_use(report)
    yield _format_full_run(report["full_run"])
    for owner in report["owners"]:
        yield f"{emails.get(owner['owner_id'], owner['owner_id'])}: {owner['sampled']} scenes ({owner['stale']} are stale)"
        yield from (f"  {line}" for line in _format_owner(owner))
    yield from report["left_out"]


def _format_use(report: Mapping[str, Any]) -> str:
    if not report["computed"]:
        return "Nothing had to be computed: an earlier trial or run has done it"
    return (
        f"{report['computed']} scenes took {report['seconds']:.1f} s ({report['seconds_per_scene']:.3f} s per scene), "
        f"{report['model_calls']} model calls, {report['tokens']} tokens, cost {report['cost']}"
    )


def _format_full_run(full_run: Mapping[str, Any] | None) -> str:
    if full_run is None:
        return "What the trial was about has been deleted meanwhile"
    return (
        f"The full run would compute {full_run['vectors']} more vectors: {full_run['model_calls']} model calls, about "
        f"{full_run['tokens']} tokens, cost {full_run['cost']}; {_format_time(full_run)}"
    )


def _format_time(full_run: Mapping[str, Any]) -> str:
    if not full_run["seconds"]:
        return "time not measured"
    low, high = (f"{seconds:.0f}" for seconds in full_run["seconds"])
    time = f"about {low} s" if low == high else f"{low} to {high} s"
    missing = ", ".join(full_run["not_measured"])
    return f"{time} on one worker" + (f" and the time of {missing}, which is not measured" if missing else "")


def _format_owner(owner: Mapping[str, Any]) -> Iterator[str]:
    if owner["judged_scenes"]:
        yield f"{owner['judged_scenes_sampled']} of {owner['judged_scenes']} scenes that judgments name are in the sample"
    change = owner["change"]
    if change["judged"]:
        yield format_judged(change["judged"])
        yield from (f"{channel} alone: {format_judged(judged)}" for channel, judged in change["judged"]["channels"].items())
    if change["compared"]:
        yield format_comparison(change["compared"])
    yield from change["left_out"]
