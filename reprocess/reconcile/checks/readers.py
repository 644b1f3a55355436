"""Owners whose search reads no space at all, although they have videos."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from django.db.models import Exists, OuterRef

from heimdex.accounts.models import User
from reprocess.actions.start_run import start_run
from reprocess.models import ReprocessRun
from reprocess.reconcile.base import Check, Finding, Kind
from reprocess.reconcile.under_way import open_items, runs_by_fingerprint
from reprocess.scope import Scope
from videos.models import ActiveSpace, Scene, Video

UNREAD = Kind(
    "unread_owners",
    "owners have indexed videos, but their search reads no vectors",
    "queues a run that computes what is missing and lets search read it",
    "Run reprocess_embeddings --scope owner for them.",
)


class Readers(Check):
    """A search that reads nothing finds by words alone."""

    order = 10
    kinds = (UNREAD,)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        has_scenes = Exists(Scene.objects.filter(owner=OuterRef("pk"), video__owner=OuterRef("pk"), video__state=Video.State.INDEXED))
        reads = Exists(ActiveSpace.objects.filter(owner=OuterRef("pk")))
        runs = {run for of_space in runs_by_fingerprint().values() for run in of_space}
        owners = User.objects.filter(has_scenes, ~reads, ~open_items(runs, owner="pk")).order_by("pk")
        if owner_id:
            owners = owners.filter(pk=owner_id)
        for key, email in owners.values_list("pk", "email").iterator(chunk_size=500):
            yield Finding(UNREAD, 1, email, partial(_start, key))


def _start(owner_id: UUID) -> int:
    start_run(Scope("owner", owner_id=owner_id), force=False, entrance=ReprocessRun.Entrance.COMMAND, requested_by=None)
    return 1


CHECK = Readers()
