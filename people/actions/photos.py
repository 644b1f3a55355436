"""Upload, retry and delete photos of a person."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.accounts.quotas import check_upload_quota
from heimdex.accounts.rate_limits import spend
from heimdex.errors import WrongState
from heimdex.outages.deletions import delete_files
from heimdex.outages.models import NOT_WAITING
from heimdex.storage import UploadTarget
from heimdex.uploads import flow
from people.errors import NOT_RETRYABLE
from people.face_settings import get_faces_disabled_reason
from people.input_hashes import refresh_person_inputs
from people.models import Person, PersonPhoto
from people.photos.state import queue_photo
from people.refresh import request_refresh
from people.storage_keys import parse_photo_key

PHOTO_TYPES = ("image/jpeg", "image/png", "image/webp", "image/heic", "image/heif")
# A file of a few megabytes arrives within this time or not at all. Then its slot is free again.
_MAX_UPLOAD_TIME = timedelta(hours=1)

WRONG_TYPE = "is not a JPEG, PNG, WebP or HEIC image ({mime_type}). Export it as JPEG."
PERSON_ARCHIVED = "{name} is archived. Restore the person before you add photos."
TOO_MANY_PHOTOS = "{name} already has {limit} photos, which is the limit. Remove one first."
CANNOT_SUCCEED = "A retry with the same file cannot succeed. Remove this photo and upload another one."


def init_photo_upload(owner: User, person_id: UUID, upload: flow.UploadRequest) -> tuple[PersonPhoto, UploadTarget]:
    """Create a photo in state `uploading` and the signed URL for its bytes.

    Raise Person.DoesNotExist for another owner's id, Refused for an unsupported size or type, and WrongState when the person is archived
    or has the maximum number of photos, when face recognition is off, or when the owner's quota is used up, OutOfSpace, and
    RateExceeded.
    """
    policy = get_photo_policy()
    flow.validate_upload(upload, policy)
    flow.check_disk(upload.size_bytes)
    if reason := get_faces_disabled_reason(owner):
        raise WrongState(reason)
    # An upload that is refused does not count.
    with transaction.atomic():
        spend("upload", owner.pk)
        check_upload_quota(owner, upload.size_bytes, is_video=False)
        # Locked, so that two concurrent uploads cannot both take the last slot.
        person = Person.objects.select_for_update(no_key=True).get(pk=person_id, owner=owner)
        if person.is_archived:
            raise WrongState(PERSON_ARCHIVED.format(name=person.name))
        if person.photos.count() >= settings.MAX_PHOTOS:
            raise WrongState(TOO_MANY_PHOTOS.format(name=person.name, limit=settings.MAX_PHOTOS))
        photo = PersonPhoto.objects.create(
            person=person,
            owner=owner,
            filename=upload.filename,
            mime_type=upload.mime_type,
            size_bytes=upload.size_bytes,
            upload_expires_at=policy.compute_expiry(),
        )
    return photo, flow.presign_upload(photo)


def get_photo_policy() -> flow.UploadPolicy:
    """Return what an upload of a photo accepts."""
    return flow.UploadPolicy(
        max_bytes=settings.MAX_PHOTO_BYTES,
        accepts_type=PHOTO_TYPES.__contains__,
        wrong_type=WRONG_TYPE,
        too_large_hint=" Scale the image down.",
        max_lifetime=_MAX_UPLOAD_TIME,
    )


def renew_photo_upload_url(owner: User, person_id: UUID, photo_id: UUID) -> UploadTarget:
    """Presign the upload of a photo again, because its URL may expire before the upload does.

    Raise PersonPhoto.DoesNotExist for another owner's ids, and WrongState when the upload was completed or has expired.
    """
    return flow.presign_upload(PersonPhoto.objects.get(pk=photo_id, person=person_id, owner=owner, owner__is_active=True))


def find_photo_upload(key: str) -> QuerySet[PersonPhoto] | None:
    """Return the photo that is uploaded to a storage key (no row when it was deleted), or None for a key of another type."""
    parts = parse_photo_key(key)
    if parts is None or parts.name != "upload":
        return None
    return PersonPhoto.objects.filter(pk=parts.photo_id, owner_id=parts.owner_id)


def complete_photo_upload(owner: User, person_id: UUID, photo_id: UUID) -> PersonPhoto:
    """Move the uploaded file out of the client's reach and queue the photo. A repeated call changes nothing.

    Raise PersonPhoto.DoesNotExist for another owner's ids or when the owner is not active any more, and WrongState when no file, or one of
    another size, has arrived.
    """
    with transaction.atomic():
        photo = _lock_photo(owner, person_id, photo_id)
        if photo.state != PersonPhoto.State.UPLOADING:
            return photo
        flow.receive_file(photo)
        queue_photo(photo)
    return photo


def retry_photo(owner: User, person_id: UUID, photo_id: UUID) -> PersonPhoto:
    """Queue a failed photo again.

    Raise PersonPhoto.DoesNotExist for another owner's ids, and WrongState when the photo has not failed or a retry cannot succeed.
    """
    with transaction.atomic():
        photo = _lock_photo(owner, person_id, photo_id)
        if photo.state != PersonPhoto.State.FAILED:
            raise WrongState(f"Only a failed photo can be retried. This photo is {photo.state}.")
        if photo.error_code in NOT_RETRYABLE:
            raise WrongState(CANNOT_SUCCEED)
        queue_photo(photo)
    return photo


def retry_failed_photos(photos: QuerySet[PersonPhoto], *, dry_run: bool = False) -> tuple[int, int]:
    """Queue the failed ones among some photos again, for operators. Return how many, and how many were left out.

    Photos are left out whose retry with the same file cannot succeed.
    """
    failed = PersonPhoto.objects.filter(pk__in=photos.order_by().values("pk"), state=PersonPhoto.State.FAILED)
    retryable = failed.exclude(error_code__in=NOT_RETRYABLE)
    left_out = failed.count() - retryable.count()
    if dry_run:
        return retryable.count(), left_out
    with transaction.atomic():
        locked = list(retryable.select_for_update(of=("self",)).order_by("pk"))
        now = timezone.now()
        PersonPhoto.objects.filter(pk__in=[photo.pk for photo in locked]).update(
            state=PersonPhoto.State.UPLOADED, error_code="", error_text="", attempts=0, updated_at=now, woken_at=now, **NOT_WAITING
        )
        # One refresh covers all photos of an owner.
        for owner_id in sorted({photo.owner_id for photo in locked}):
            request_refresh(owner_id)
    return len(locked), left_out


def delete_photo(owner: User, person_id: UUID, photo_id: UUID) -> None:
    """Delete a photo with its vectors and files, and refresh the person if the photo was in use.

    Raise PersonPhoto.DoesNotExist for another owner's ids.
    """
    with transaction.atomic():
        # A worker writes under the same lock. Once we hold it, the worker writes no more, and what it wrote is deleted here.
        photo = _lock_photo(owner, person_id, photo_id)
        prefix = photo.storage_prefix
        photo.delete()
        if refresh_person_inputs([person_id]):
            request_refresh(owner.pk)
        delete_files(prefix)


def _lock_photo(owner: User, person_id: UUID, photo_id: UUID) -> PersonPhoto:
    return PersonPhoto.objects.select_for_update(of=("self",)).get(pk=photo_id, person=person_id, owner=owner, owner__is_active=True)
