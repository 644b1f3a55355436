"""Owners with indexed videos whose search reads no space."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from django.db.models import Exists, OuterRef

from heimdex.accounts.models import User
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.reconcile.base import Check, Finding, IssueType
from reprocess.reconcile.runs import find_runs_by_fingerprint, has_open_item
from reprocess.runs.requests import start_run
from videos.models import ActiveSpace, Scene, Video

WITHOUT_SPACES = IssueType(
    "unread_owners",
    "owners have indexed videos, but their search reads no vectors",
    "queues a run that computes the vectors and switches search to them",
    "Run reprocess_embeddings --scope owner --owner-id EMAIL for each of them.",
)


class OwnersWithoutSpaces(Check):
    """Without an active space, search finds an owner's scenes by words only."""

    order = 10
    issue_types = (WITHOUT_SPACES,)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        has_scenes = Exists(Scene.objects.filter(owner=OuterRef("pk"), video__owner=OuterRef("pk"), video__state=Video.State.INDEXED))
        has_space = Exists(ActiveSpace.objects.filter(owner=OuterRef("pk")))
        run_ids = {run_id for run_ids in find_runs_by_fingerprint().values() for run_id in run_ids}
        owners = User.objects.filter(has_scenes, ~has_space, ~has_open_item(run_ids, owner="pk")).order_by("pk")
        if owner_id:
            owners = owners.filter(pk=owner_id)
        for key, email in owners.values_list("pk", "email").iterator(chunk_size=500):
            yield Finding(WITHOUT_SPACES, 1, email, partial(_start_run, key))


def _start_run(owner_id: UUID) -> int:
    start_run(Scope("owner", owner_id=owner_id), force=False, entry_point=ReprocessRun.EntryPoint.COMMAND, requested_by=None)
    return 1


CHECK = OwnersWithoutSpaces()
