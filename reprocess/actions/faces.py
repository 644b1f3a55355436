"""Turn face recognition off or on for one owner. Turning it off also erases all face data."""

from uuid import UUID

from django.db import transaction

from heimdex.accounts.models import User
from heimdex.errors import WrongState
from people.actions.faces import ErasureCounts, erase_faces
from people.face_settings import FACES_OFF_ON_SERVER
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.planning.targets import PHOTOS
from reprocess.runs.requests import start_run
from reprocess.spec import get_effective_spec
from videos.channels import FIND_FACES, list_channels_reading
from videos.input_hashes import store_hashes
from videos.models import Scene, SceneInput


def turn_faces_off(owner_id: UUID) -> ErasureCounts:
    """Turn face recognition off for an owner, and erase all face data. Idempotent. Call it outside transactions."""
    with transaction.atomic():
        User.objects.filter(pk=owner_id).update(find_faces=False)
        # With the empty hash, a running worker, which has read another hash or none, writes no faces.
        for channel in list_channels_reading(FIND_FACES):
            SceneInput.objects.filter(owner=owner_id, channel=channel).exclude(hash="").update(hash="")
            unhashed = Scene.objects.filter(owner=owner_id).exclude(inputs__channel=channel).order_by().values_list("pk", flat=True)
            store_hashes(SceneInput, ((scene_id, owner_id, channel, "") for scene_id in unhashed), {})
    return erase_faces(owner_id)


def turn_faces_on(owner: User, *, entry_point: str, requested_by: User | None) -> ReprocessRun:
    """Turn face recognition on for an owner, and queue a run over the existing videos. Raise WrongState when it is off on the server."""
    spec = get_effective_spec()
    if not spec.list_channels(PHOTOS):
        raise WrongState(FACES_OFF_ON_SERVER)
    with transaction.atomic():
        User.objects.filter(pk=owner.pk).update(find_faces=True)
        # Scenes without a hash are stale, so the run composes their inputs again.
        SceneInput.objects.filter(owner=owner, channel__in=list_channels_reading(FIND_FACES)).delete()
        return start_run(Scope("owner", owner_id=owner.pk), force=False, entry_point=entry_point, requested_by=requested_by, spec=spec)
