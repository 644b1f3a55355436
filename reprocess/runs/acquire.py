"""Choose which items of a run a worker takes next, and acquire the lease on them."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from heimdex.leases import Lease, is_unleased
from reprocess.models import ReprocessItem, ReprocessRun
from videos.models import Scene

# A group takes videos until their scenes add up to this. Short videos then still fill the model's batches without a pause between
# videos, and batches of texts of similar length are chosen among many.
GROUP_SCENES = 512
# A group has at most this many videos, which a second worker finds leased.
GROUP_VIDEOS = 64


def acquire_group(run: ReprocessRun) -> tuple[Lease, list[ReprocessItem]]:
    """Acquire the next items of a run. Return the lease and the items, which are empty when none is left.

    New videos are taken as a group. People, and items that a worker has begun before, are taken one by one, so that an item that kills
    its worker takes no other item with it.
    """
    with transaction.atomic():
        # The videos, or owners, are locked too, so that two runs cannot take the same one at the same moment.
        locking = select_acquirable_items(run).select_for_update(skip_locked=True, of=("self", "video"), no_key=True)
        # The second condition is always true; it makes the inner join that can be locked.
        videos = locking.filter(video__isnull=False, video__created_at__isnull=False).select_related("video")
        new = list(videos.filter(attempts=0).annotate(scenes=_count_scenes())[:GROUP_VIDEOS])
        locked = new[: count_fitting((item.scenes for item in new), GROUP_SCENES)] or videos.filter(attempts__gt=0)[:1] or _lock_people(run)
        # Filtered again now that the locks are held: items that another run acquired a moment ago drop out.
        items = select_acquirable_items(run).filter(pk__in=[item.pk for item in locked])
        return Lease.acquire(items, GROUP_VIDEOS, state=ReprocessItem.State.RUNNING)


def select_acquirable_items(run: ReprocessRun) -> QuerySet[ReprocessItem]:
    """Return the open, unleased items whose videos and people no other run has leased. Owners take turns."""
    leased = ReprocessItem.objects.filter(lease_expires_at__gte=timezone.now()).exclude(run=run)
    same_video, same_people = leased.filter(video=OuterRef("video")), leased.filter(video__isnull=True, owner=OuterRef("owner"))
    in_another_run = Exists(same_video) | (Q(video__isnull=True) & Exists(same_people))
    return run.items.filter(is_unleased(), ~in_another_run, state__in=ReprocessItem.OPEN).order_by("turn", "id")


def count_fitting(sizes: Iterable[int], limit: int) -> int:
    """Return how many of the first sizes add up to at most `limit`, and at least 1 if there is any. Pure."""
    number = total = 0
    for size in sizes:
        total += size
        if number and total > limit:
            break
        number += 1
    return number


def _lock_people(run: ReprocessRun) -> QuerySet[ReprocessItem]:
    locking = select_acquirable_items(run).select_for_update(skip_locked=True, of=("self", "owner"), no_key=True)
    return locking.filter(video__isnull=True).select_related("owner")[:1]


def _count_scenes() -> Coalesce:
    counts = Scene.objects.filter(video=OuterRef("video")).order_by().values("video").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counts, output_field=IntegerField()), 0)
