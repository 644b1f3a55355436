"""The reports on changes of spaces as text: how results change, and whether they get better. Pure."""

from collections.abc import Mapping
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
