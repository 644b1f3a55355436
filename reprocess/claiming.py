"""Which videos of a run a worker takes next, and the right to work on them."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from heimdex.leases import claim, free
from reprocess.models import ReprocessItem, ReprocessRun
from videos.models import Scene

# Videos are worked on together until they come to so many scenes: short ones still fill the model's batches, which run on without a
# pause from one video to the next, and a batch of texts of like length is chosen among many.
GROUP_SCENES = 512
# Or to so many videos, which are what a second worker finds taken.
GROUP_VIDEOS = 64


def claim_group(run: ReprocessRun) -> tuple[UUID, list[ReprocessItem]]:
    """Claim fresh items together; those that were begun before one by one, so that one that kills its worker takes no other with it."""
    with transaction.atomic():
        # The videos are locked too, so that two runs cannot take the same one at the same moment.
        unlocked = claimable(run).select_related("video").select_for_update(skip_locked=True, of=("self", "video"), no_key=True)
        fresh = list(unlocked.filter(attempts=0).annotate(scenes=_scenes())[:GROUP_VIDEOS])
        locked = fresh[: fitting((item.scenes for item in fresh), GROUP_SCENES)] or unlocked.filter(attempts__gt=0)[:1]
        # Asked again now that the locks are held: what another run took a moment ago drops out.
        return claim(claimable(run).filter(pk__in=[item.pk for item in locked]), GROUP_VIDEOS, state=ReprocessItem.State.RUNNING)


def claimable(run: ReprocessRun) -> QuerySet[ReprocessItem]:
    """Return the open items that no worker holds, of videos that no other run is at; owners take turns."""
    elsewhere = ReprocessItem.objects.filter(video=OuterRef("video"), lease_expires_at__gte=timezone.now()).exclude(run=run)
    return run.items.filter(free(), ~Exists(elsewhere), state__in=ReprocessItem.OPEN).order_by("turn", "id")


def fitting(sizes: Iterable[int], most: int) -> int:
    """Return how many of the sizes, from the first on, come to no more than `most`; the first is taken whatever its size. Pure."""
    number = total = 0
    for size in sizes:
        total += size
        if number and total > most:
            break
        number += 1
    return number


def _scenes() -> Coalesce:
    counted = Scene.objects.filter(video=OuterRef("video")).order_by().values("video").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
