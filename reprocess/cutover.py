"""Switch an owner's search to new spaces, all channels at once, when they hold everything the owner has."""

from collections.abc import Iterable
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from heimdex.accounts.models import User
from reprocess.spec import EffectiveSpec
from videos.models import ActiveSpace, EmbeddingSpace, Scene, SceneEmbedding, Video

log = structlog.get_logger(__name__)


def activate_complete(owner_ids: Iterable[UUID], spec: EffectiveSpec) -> None:
    """Switch each owner for whom every scene has its row in every space of the spec; others keep searching the old spaces.

    An owner who has no active space yet is switched at once: there is nothing that could be mixed or lost.
    """
    spaces = [configured.space(channel) for configured, channel in spec.channels()]
    for owner_id in owner_ids:
        _activate_owner(owner_id, spaces)


def _activate_owner(owner_id: UUID, spaces: list[EmbeddingSpace]) -> None:
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).filter(pk=owner_id).first()
        active = dict(ActiveSpace.objects.filter(owner_id=owner_id).values_list("channel", "space_id"))
        coming = [space for space in spaces if active.get(space.channel) != space.pk]
        replacing = [space for space in coming if space.channel in active]
        if not coming or any(_uncovered(owner_id, space) for space in replacing):
            return
        for space in coming:
            ActiveSpace.objects.update_or_create(owner_id=owner_id, channel=space.channel, defaults={"space": space})
    log.info("Search switched to new spaces", owner_id=str(owner_id), channels=[space.channel for space in coming])


def _uncovered(owner_id: UUID, space: EmbeddingSpace) -> bool:
    covered = SceneEmbedding.objects.filter(scene=OuterRef("pk"), space=space).exclude(state=SceneEmbedding.State.FAILED)
    return Scene.objects.filter(owner_id=owner_id, video__state=Video.State.INDEXED).filter(~Exists(covered)).exists()
