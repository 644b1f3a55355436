"""Print what the API returns."""

import html
import re
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

console = Console(highlight=False, width=110)


def print_heading(text: str) -> None:
    """Print the heading of a step."""
    console.print(f"\n[bold]{escape(text)}[/]")


def print_scenes(video: dict[str, Any]) -> None:
    """Print a video's scenes: times, transcript, tags."""
    table = Table("#", "time", "speech", "shows", show_lines=True)
    for scene in video["scenes"]:
        tags = ", ".join(f"{tag['name']} {tag['confidence']:.0%}" for tag in scene["tags"])
        table.add_row(
            str(scene["index"] + 1),
            format_span(scene),
            escape(scene["transcript"]) or "[dim]no speech[/]",
            escape(tags) or "[dim]unsure[/]",
        )
    console.print(table)
    if video["summary"]:
        console.print(f"Summary: {escape(video['summary'])}")


def print_search_results(query: str, answer: dict[str, Any], milliseconds: float) -> None:
    """Print the first three results of a search, and why each matches."""
    console.print(f"  [bold]{escape(query)}[/]  [dim]{answer['total']} scene(s), {milliseconds:.0f} ms[/]")
    for notice in answer["notices"]:
        console.print(f"    {escape(notice)}")
    if not answer["results"]:
        console.print("    no matches")
    for position, hit in enumerate(answer["results"][:3], start=1):
        why = ", ".join(f"{match['channel']} #{match['rank']} ({match['score']:.2f})" for match in hit["matches"])
        console.print(f"    {position}. {escape(hit['title'])} {format_span(hit)}  matched in {why}")
        if excerpt := _format_excerpt(hit):
            console.print(f"       {excerpt}")


def print_plan(title: str, plan_data: dict[str, Any]) -> None:
    """Print a plan: the stale vectors per channel with their causes, and the model calls."""
    stale = f"{plan_data['stale']} vectors to compute" if plan_data["stale"] else "nothing stale"
    console.print(f"  {title}: {stale}, {plan_data['model_calls']} model calls")
    for channel in plan_data["channels"]:
        causes = ", ".join(f"{cause}: {number}" for cause, number in channel["causes"].items()) or "fresh"
        console.print(f"    {channel['step']:<12} {channel['channel']:<12} {channel['subjects']:>3} {channel['kind']:<6}  {causes}")


def format_span(scene: dict[str, Any]) -> str:
    """Format a scene's time range as m:ss.t–m:ss.t."""
    return f"{_format_clock(scene['start_s'])}–{_format_clock(scene['end_s'])}"


def _format_clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"


def _format_excerpt(hit: dict[str, Any]) -> str:
    marked = next((match["highlight"] for match in hit["matches"] if match["highlight"]), "")
    if not marked:
        return escape((hit["transcript"] or hit["description"])[:100])
    parts = re.split(r"</?mark>", marked)
    return "".join(
        f"[reverse]{escape(html.unescape(part))}[/]" if index % 2 else escape(html.unescape(part)) for index, part in enumerate(parts)
    )
