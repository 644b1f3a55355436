"""Choose the next items of a run for a worker, and acquire the lease on them."""

from collections.abc import Iterable, Sequence
from math import ceil

from django.db import transaction
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from heimdex.leases import Lease, is_unleased
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.spec import EffectiveSpec
from reprocess.steps.base import SceneStep
from videos.models import Scene

# The most scenes of a group: many, so that short videos fill the model's batches too, and each batch has texts of similar length.
GROUP_SCENES = 512
# A group has at most this part of the scenes that are left. So a small run occupies several workers, and they end at about the same time.
_SHARES = 8
# The largest number of videos in a group. Other workers cannot process them meanwhile.
GROUP_VIDEOS = 64


def acquire_group(run: ReprocessRun, smallest: int = 1) -> tuple[Lease, list[ReprocessItem]]:
    """Acquire the next items of a run. Return the lease and the items, which are empty when none is left.

    New videos are acquired in groups of at least `smallest` scenes. People, and items with an earlier attempt, are acquired one by one, so
    that an item that kills its worker costs no other item an attempt.
    """
    with transaction.atomic():
        # Lock the videos or owners too, so that two runs cannot acquire the same video or people at the same time.
        locking = select_acquirable_items(run).select_for_update(skip_locked=True, of=("self", "video"), no_key=True)
        # The second condition is always true. It makes an inner join, which can be locked.
        videos = locking.filter(video__isnull=False, video__created_at__isnull=False).select_related("video")
        new = list(videos.filter(attempts=0).annotate(scenes=_count_scenes())[:GROUP_VIDEOS])
        limit = choose_group_size([item.scenes for item in new], _count_left(run, len(new)), smallest)
        locked = new[: count_fitting((item.scenes for item in new), limit)] or videos.filter(attempts__gt=0)[:1] or _lock_people(run)
        # Filter again under the locks: another run may have acquired items in between.
        items = select_acquirable_items(run).filter(pk__in=[item.pk for item in locked])
        return Lease.acquire(items, GROUP_VIDEOS, state=ReprocessItem.State.RUNNING)


def select_acquirable_items(run: ReprocessRun) -> QuerySet[ReprocessItem]:
    """Return the open, unleased items whose videos and people no other run has leased, ordered so that owners take turns."""
    leased = ReprocessItem.objects.filter(lease_expires_at__gte=timezone.now()).exclude(run=run)
    same_video, same_people = leased.filter(video=OuterRef("video")), leased.filter(video__isnull=True, owner=OuterRef("owner"))
    in_another_run = Exists(same_video) | (Q(video__isnull=True) & Exists(same_people))
    return run.items.filter(is_unleased(), ~in_another_run, state__in=ReprocessItem.OPEN).order_by("turn", "id")


def compute_full_group(spec: EffectiveSpec) -> int:
    """Return the number of scenes that fill a batch of every model, and all its parallel calls. Smaller groups would waste calls."""
    steps = (configured for configured in spec.steps if isinstance(configured.step, SceneStep) and configured.step.calls_model)
    # A step of several channels has an input that the scenes of a video share, their summary.
    sizes = (configured.load_model().preferred_batch_size // max(1, len(configured.step.channels) - 1) for configured in steps)
    return max(sizes, default=1)


def choose_group_size(scenes: Sequence[int], videos_left: int, smallest: int) -> int:
    """Return how many scenes the next group should have. `scenes` are those of the first of `videos_left` videos. Pure."""
    left = sum(scenes) * videos_left / max(1, len(scenes))
    return min(GROUP_SCENES, max(smallest, ceil(left / _SHARES)))


def count_fitting(sizes: Iterable[int], limit: int) -> int:
    """Return how many of the first sizes add up to at most `limit`, but at least 1 unless there is none. Pure."""
    number = total = 0
    for size in sizes:
        total += size
        if number and total > limit:
            break
        number += 1
    return number


def _count_left(run: ReprocessRun, locked: int) -> int:
    """Count the videos that are left, up to a number that is enough for groups of full size."""
    return select_acquirable_items(run).filter(attempts=0)[: GROUP_VIDEOS * _SHARES].count() if locked == GROUP_VIDEOS else locked


def _lock_people(run: ReprocessRun) -> QuerySet[ReprocessItem]:
    locking = select_acquirable_items(run).select_for_update(skip_locked=True, of=("self", "owner"), no_key=True)
    return locking.filter(video__isnull=True).select_related("owner")[:1]


def _count_scenes() -> Coalesce:
    counts = Scene.objects.filter(video=OuterRef("video")).order_by().values("video").annotate(number=Count("pk")).values("number")
    # The scenes of a trial, or all of the video.
    return Coalesce("scene_ids__len", Subquery(counts, output_field=IntegerField()), 0)
