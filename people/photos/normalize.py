"""Normalize an uploaded photo: store an upright copy without metadata, and delete the uploaded file."""

import hashlib
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from heimdex.leases import Lease
from heimdex.media.errors import MediaError, MediaErrorCode
from heimdex.media.photos import CleanPhoto, clean_photo
from heimdex.media.sandbox import call_sandboxed
from heimdex.media.sandbox_protocol import limit_probe
from heimdex.storage import get_media_storage
from people.errors import PhotoErrorCode, PhotoRejected
from people.input_hashes import refresh_photo_inputs
from people.locks import lock_people
from people.models import Person, PersonPhoto
from videos.embedding_texts import hash_input
from videos.ingest.stage import get_decoder_limits

FILE_MISSING = "The file of this photo is gone. Upload it again."
DUPLICATE = "This person already has this photo."
TOO_EXPENSIVE = "Decoding the image takes more time or memory than allowed. Scale it down and upload it again."
CRASHED = "The image is damaged and crashes the decoder. Export it again and upload that file."

_REASONS = {
    MediaErrorCode.NOT_AN_IMAGE: (PhotoErrorCode.NOT_AN_IMAGE, ""),
    MediaErrorCode.DAMAGED: (PhotoErrorCode.DAMAGED, ""),
    MediaErrorCode.TOO_LARGE_IMAGE: (PhotoErrorCode.TOO_LARGE, ""),
    MediaErrorCode.NEEDS_TOO_MUCH_MEMORY: (PhotoErrorCode.TOO_LARGE, TOO_EXPENSIVE),
    MediaErrorCode.TOOK_TOO_LONG: (PhotoErrorCode.TOO_LARGE, TOO_EXPENSIVE),
    MediaErrorCode.DECODER_CRASHED: (PhotoErrorCode.DAMAGED, CRASHED),
}


def normalize_photo(photo: PersonPhoto, lease: Lease) -> None:
    """Store the normalized copy and its thumbnail, and set size, checksum and hash on the row and on `photo`.

    Call it outside transactions. The lease on the photo is renewed while decoding. A repeated call only checks for duplicates again.

    Raise PhotoRejected when the photo cannot be used, LeaseLost when another worker has the photo or it was
    deleted, and DecodingInterrupted or StorageError when a retry may succeed.
    """
    storage = get_media_storage()
    if storage.size(photo.original_key) is not None:
        _decode_and_store(photo, lease)
        # Deleted last, so that after a crash the next worker finds the file and repeats the work.
        storage.delete(photo.original_key)
    elif photo.image_hash and storage.size(photo.image_key) is not None:
        with transaction.atomic():
            _save_result(lease.lock_row(photo.pk), photo)
    else:
        raise PhotoRejected(PhotoErrorCode.FILE_MISSING, FILE_MISSING)
    if photo.error_code == PhotoErrorCode.DUPLICATE:
        raise PhotoRejected(PhotoErrorCode.DUPLICATE, DUPLICATE)


def _decode_and_store(photo: PersonPhoto, lease: Lease) -> None:
    storage = get_media_storage()
    try:
        with storage.open_local_path(photo.original_key) as path:
            with path.open("rb") as file:
                photo.checksum = hashlib.file_digest(file, "sha256").hexdigest()
            clean = _decode(path, lease)
    except FileNotFoundError as error:
        raise PhotoRejected(PhotoErrorCode.FILE_MISSING, FILE_MISSING) from error
    photo.width, photo.height = clean.width, clean.height
    photo.image_hash = hash_input(clean.image)
    with transaction.atomic():
        # A deletion waits for this lock, so it also deletes the files that are written here.
        locked = lease.lock_row(photo.pk)
        storage.save(photo.image_key, clean.image, "image/jpeg")
        storage.save(photo.thumbnail_key, clean.thumbnail, "image/jpeg")
        _save_result(locked, photo)


def _decode(path: Path, lease: Lease) -> CleanPhoto:
    try:
        return call_sandboxed(clean_photo, path, limits=limit_probe(get_decoder_limits(), path.stat().st_size), check=lease.renew_if_due)
    except MediaError as error:
        code, text = _REASONS.get(error.code, (PhotoErrorCode.DAMAGED, CRASHED))
        raise PhotoRejected(code, text or str(error)) from error


def _save_result(locked: PersonPhoto, photo: PersonPhoto) -> None:
    """Save the results and whether the person already has the photo. The first of two concurrent copies counts."""
    lock_people(Person.objects.filter(pk=locked.person_id))
    others = PersonPhoto.objects.filter(person=locked.person_id, checksum=photo.checksum).exclude(pk=locked.pk)
    is_duplicate = others.exclude(state=PersonPhoto.State.FAILED).exclude(error_code=PhotoErrorCode.DUPLICATE).exists()
    photo.error_code = PhotoErrorCode.DUPLICATE if is_duplicate else ""
    photo.updated_at = timezone.now()
    photo.save(update_fields=["width", "height", "checksum", "image_hash", "error_code", "updated_at"])
    refresh_photo_inputs(photo)
