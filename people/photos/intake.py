"""Take a photo in: make the clean copy that is kept, and let go of the file that arrived."""

import hashlib
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from heimdex.leases import HeldRows, LeaseLost
from heimdex.media.bounds import bounds_of_probe
from heimdex.media.errors import MediaError, MediaErrorCode
from heimdex.media.photos import CleanPhoto, clean_photo
from heimdex.media.sandbox import sandboxed_call
from heimdex.storage import media_storage
from people.locks import lock_people
from people.models import Person, PersonPhoto
from people.photos.errors import PhotoErrorCode, PhotoRefused
from videos.composition import input_hash
from videos.ingest.source import allowance

GONE = "The file of this photo is gone. Upload it again."
DUPLICATE = "This person has the same photo already."
TOO_MUCH = "Decoding the picture takes more time or memory than is allowed. Scale it down and upload that."
CRASHED = "The picture is damaged in a way that ends the program that reads it. Export it again and upload that."

_REASONS = {
    MediaErrorCode.NOT_A_PICTURE: (PhotoErrorCode.NOT_A_PICTURE, ""),
    MediaErrorCode.DAMAGED: (PhotoErrorCode.DAMAGED, ""),
    MediaErrorCode.TOO_LARGE_PICTURE: (PhotoErrorCode.TOO_LARGE, ""),
    MediaErrorCode.NEEDS_TOO_MUCH_MEMORY: (PhotoErrorCode.TOO_LARGE, TOO_MUCH),
    MediaErrorCode.TOOK_TOO_LONG: (PhotoErrorCode.TOO_LARGE, TOO_MUCH),
    MediaErrorCode.DECODER_CRASHED: (PhotoErrorCode.DAMAGED, CRASHED),
}


def prepare(photo: PersonPhoto) -> None:
    """Make the copy of a photo that is kept, and its thumbnail; set size, checksum and hash on the row and on `photo`.

    Call it outside transactions, with the row as `claim` returned it: the lease is renewed meanwhile. A repeated call does nothing but
    look for duplicates again. PhotoRefused when the photo cannot be used; LeaseLost when another worker has it, or it was deleted;
    DecodingLost and StorageError when another try may succeed.
    """
    storage = media_storage()
    if storage.size(photo.original_key) is not None:
        _take_in(photo)
        # Only now: whoever was killed before finds it, and does the same again.
        storage.delete(photo.original_key)
    elif photo.person_photo_hash and storage.size(photo.picture_key) is not None:
        with transaction.atomic():
            _settle(_held(photo), photo)
    else:
        raise PhotoRefused(PhotoErrorCode.FILE_MISSING, GONE)
    if photo.error_code == PhotoErrorCode.DUPLICATE:
        raise PhotoRefused(PhotoErrorCode.DUPLICATE, DUPLICATE)


def _take_in(photo: PersonPhoto) -> None:
    storage = media_storage()
    try:
        with storage.local_path(photo.original_key) as path:
            with path.open("rb") as file:
                photo.checksum = hashlib.file_digest(file, "sha256").hexdigest()
            clean = _decoded(path, photo.lease_token)
    except FileNotFoundError as error:
        raise PhotoRefused(PhotoErrorCode.FILE_MISSING, GONE) from error
    photo.width, photo.height = clean.width, clean.height
    photo.person_photo_hash = input_hash(clean.picture)
    with transaction.atomic():
        # A deletion waits for this row, so it finds the files that are written meanwhile.
        held = _held(photo)
        storage.save(photo.picture_key, clean.picture, "image/jpeg")
        storage.save(photo.thumbnail_key, clean.thumbnail, "image/jpeg")
        _settle(held, photo)


def _decoded(path: Path, token: UUID | None) -> CleanPhoto:
    check = HeldRows(PersonPhoto, token).keep if token else None
    try:
        return sandboxed_call(clean_photo, path, bounds=bounds_of_probe(allowance(), path.stat().st_size), check=check)
    except MediaError as error:
        code, text = _REASONS.get(error.code, (PhotoErrorCode.DAMAGED, CRASHED))
        raise PhotoRefused(code, text or str(error)) from error


def _held(photo: PersonPhoto) -> PersonPhoto:
    """Lock the photo's row until the transaction ends and return it as it is now; LeaseLost when it is no longer the caller's."""
    held = PersonPhoto.objects.select_for_update(of=("self",)).filter(pk=photo.pk, lease_token=photo.lease_token).first()
    if held is None:
        raise LeaseLost
    return held


def _settle(held: PersonPhoto, photo: PersonPhoto) -> None:
    """Write what was found out, and whether the person has the photo already: of two that come at once, the first counts."""
    lock_people(Person.objects.filter(pk=held.person_id))
    others = PersonPhoto.objects.filter(person=held.person_id, checksum=photo.checksum).exclude(pk=held.pk)
    same = others.exclude(state=PersonPhoto.State.FAILED).exclude(error_code=PhotoErrorCode.DUPLICATE).exists()
    photo.error_code = PhotoErrorCode.DUPLICATE if same else ""
    photo.updated_at = timezone.now()
    photo.save(update_fields=["width", "height", "checksum", "person_photo_hash", "error_code", "updated_at"])
