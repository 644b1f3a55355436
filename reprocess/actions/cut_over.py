"""Switch an owner's search to the latest spaces because a person asks for it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from reprocess.cutover.coverage import lacks
from reprocess.cutover.rehearsal import rehearse
from reprocess.cutover.switch import Change, change_to, covered, full_report, record, switch, too_different
from reprocess.models import Cutover
from reprocess.spec import effective_spec

NOTHING = "The search of this owner reads the latest spaces already."
INCOMPLETE = "The latest spaces are not complete ({lacks}). Run reprocess_embeddings --scope owner --owner-id {owner} first."
MOVED = "The owner's spaces changed while the answers were compared. Try again."


class CutoverRefused(Exception):
    """The switch was not made; the message says why and what helps. `cutover` is the row of the refusal, if one was recorded."""

    def __init__(self, text: str, cutover: Cutover | None = None) -> None:
        super().__init__(text)
        self.cutover = cutover


@dataclass(frozen=True)
class Prepared:
    """A switch that can be made, and what the comparison says of it."""

    change: Change
    report: dict[str, Any]


def prepare(owner_id: UUID) -> Prepared:
    """Compare both sides of the switch to the latest spaces; CutoverRefused when there is nothing to switch or something is missing."""
    change = change_to(owner_id, effective_spec())
    if not change.coming:
        raise CutoverRefused(NOTHING)
    channels = covered(change)
    if missing := lacks(channels, settings.CUTOVER_MAX_FAILED):
        raise CutoverRefused(INCOMPLETE.format(lacks="; ".join(missing), owner=owner_id))
    comparison = rehearse(owner_id, list(change.before.values()), list(change.after.values()))
    return Prepared(change, full_report(comparison, channels))


def cut_over(owner_id: UUID, *, force: bool) -> Cutover:
    """Switch an owner's search; `force` does so even when the answers change more than the settings allow, never with scenes missing."""
    prepared = prepare(owner_id)
    if not force and (reason := too_different(prepared.report)):
        raise CutoverRefused(reason, record(prepared.change, Cutover.State.REFUSED, prepared.report, None, reason))
    made = switch(prepared.change, prepared.report, None)
    if made is None:
        raise CutoverRefused(MOVED)
    return made
