"""The reports on changes of spaces as text: how results change, whether they get better, and what a trial has measured. Pure.

Reports are given in their JSON form.
"""

from collections.abc import Iterator, Mapping
from typing import Any


def format_judged(judged: Mapping[str, Any]) -> str:
    """Return what judged queries tell about a change."""
    difference = judged["difference"]
    interval = f"{difference['mean']:+.3f} (95 % of draws: {difference['low']:+.3f} to {difference['high']:+.3f})"
    return f"{judged['queries']} judged queries: nDCG@10 {judged['before']:.3f} → {judged['after']:.3f}, {interval}: {judged['verdict']}"


def format_comparison(compared: Mapping[str, Any]) -> str:
    """Return how much the results of recorded queries change."""
    overlap, rank_move = compared["overlap_at_10"], compared["mean_rank_move"]
    if overlap is None:
        return "No queries are recorded, so nothing was compared."
    line = f"{compared['queries']} recorded queries: {overlap:.0%} of the first ten scenes stay"
    return line if rank_move is None else f"{line}, and move by {rank_move:.1f} ranks on average"


def format_trial(report: Mapping[str, Any], emails: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of a trial's report: the sample, what it took, what the full run would take, and what each owner gains."""
    yield f"Tried {report['sampled']} of {report['stale']} stale scenes; search still reads the old vectors"
    yield _format_use(report)
    yield _format_full_run(report["full_run"])
    for owner in report["owners"]:
        yield f"{emails.get(owner['owner_id'], owner['owner_id'])}: {owner['sampled']} of {owner['stale']} stale scenes"
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
    low, high = full_run["seconds"]
    missing = ", ".join(full_run["not_measured"])
    return f"{low:.0f} to {high:.0f} s on one worker" + (f" and the time of {missing}, which is not measured" if missing else "")


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
