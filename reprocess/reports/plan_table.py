"""A plan as tables for a terminal."""

from typing import Any

from rich.table import Table


def plan_table(plan: dict[str, Any]) -> Table:
    """Return a table with a row per channel, and the totals in the caption. `plan` is the JSON form of a plan."""
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


def owners_table(plan: dict[str, Any], owners: list[tuple[str, dict[str, Any]]]) -> Table | None:
    """Return a table of the owners with the most stale vectors, or None when fewer than two owners have any.

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


def _format_estimates(plan: dict[str, Any]) -> str:
    if not plan["stale"]:
        return ""
    seconds = plan["seconds"]
    time = f"{seconds[0]:.0f} to {seconds[1]:.0f} s" if seconds else "time not measured yet"
    return f", about {plan['tokens']} tokens, cost {plan['cost']}; {time}"


def _format_stale(plan: dict[str, Any]) -> str:
    return f"{plan['stale']} vectors are stale" if plan["stale"] else "nothing is stale"
