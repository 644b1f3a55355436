"""Switch faces off or on for one owner: off means that none is found any more, and that all that is known of them is erased."""

from uuid import UUID

from django.db import transaction
from django.db.models import F

from heimdex.accounts.models import User
from people.actions.erase_faces import Erased, erase_faces
from people.switch import FACES_OFF_HERE
from reprocess.actions.errors import WrongState
from reprocess.actions.start_run import start_run
from reprocess.models import ReprocessRun
from reprocess.scope import Scope
from reprocess.spec import effective_spec
from reprocess.subjects import PHOTOS
from videos.models import Scene


def switch_faces_off(owner_id: UUID) -> Erased:
    """Look for no more faces in an owner's videos and photos, and erase what is known; repeat-safe. Call it outside transactions."""
    with transaction.atomic():
        # A worker that has read the old hash writes nothing of what it finds.
        User.objects.filter(pk=owner_id).update(find_faces=False)
        Scene.objects.filter(owner=owner_id).exclude(person_hash="").update(person_hash="")
    return erase_faces(owner_id)


def switch_faces_on(owner: User, *, entrance: str, requested_by: User | None) -> ReprocessRun:
    """Look for faces in an owner's videos from now on, and queue a run over those there are. WrongState when this server finds none."""
    spec = effective_spec()
    if not spec.channels(PHOTOS):
        raise WrongState(FACES_OFF_HERE)
    with transaction.atomic():
        User.objects.filter(pk=owner.pk).update(find_faces=True)
        Scene.objects.filter(owner=owner).update(person_hash=F("pictures_hash"))
        return start_run(Scope("owner", owner_id=owner.pk), force=False, entrance=entrance, requested_by=requested_by, spec=spec)
