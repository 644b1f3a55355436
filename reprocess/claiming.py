"""Which videos of a run, or whose people, a worker takes next, and the right to work on them."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
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
    """Claim fresh videos together; people, and what was begun before, one by one, so that what kills its worker takes no other with it."""
    with transaction.atomic():
        # The videos, or owners, are locked too, so that two runs cannot take the same one at the same moment.
        locking = claimable(run).select_for_update(skip_locked=True, of=("self", "video"), no_key=True)
        # What the second condition asks is always so; it makes the inner join that can be locked.
        videos = locking.filter(video__isnull=False, video__created_at__isnull=False).select_related("video")
        fresh = list(videos.filter(attempts=0).annotate(scenes=_scenes())[:GROUP_VIDEOS])
        locked = fresh[: fitting((item.scenes for item in fresh), GROUP_SCENES)] or videos.filter(attempts__gt=0)[:1] or _of_people(run)
        # Asked again now that the locks are held: what another run took a moment ago drops out.
        return claim(claimable(run).filter(pk__in=[item.pk for item in locked]), GROUP_VIDEOS, state=ReprocessItem.State.RUNNING)


def claimable(run: ReprocessRun) -> QuerySet[ReprocessItem]:
    """Return the open items that no worker holds, of videos and people that no other run is at; owners take turns."""
    held = ReprocessItem.objects.filter(lease_expires_at__gte=timezone.now()).exclude(run=run)
    same_video, same_people = held.filter(video=OuterRef("video")), held.filter(video__isnull=True, owner=OuterRef("owner"))
    elsewhere = Exists(same_video) | (Q(video__isnull=True) & Exists(same_people))
    return run.items.filter(free(), ~elsewhere, state__in=ReprocessItem.OPEN).order_by("turn", "id")


def _of_people(run: ReprocessRun) -> QuerySet[ReprocessItem]:
    locking = claimable(run).select_for_update(skip_locked=True, of=("self", "owner"), no_key=True)
    return locking.filter(video__isnull=True).select_related("owner")[:1]


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
