"""Parse the storage keys of photos' files. Pure."""

from dataclasses import dataclass
from uuid import UUID

from people.errors import NOT_RETRYABLE
from people.models import PersonPhoto
from videos.storage_keys import parse_key_id


@dataclass(frozen=True)
class PhotoFileKey:
    """The parts of a key. `person_id` is the original person of the photo, also after a merge."""

    owner_id: UUID
    person_id: UUID
    photo_id: UUID
    name: str

    @property
    def storage_prefix(self) -> str:
        """Return the prefix that all files of the photo share."""
        return f"owners/{self.owner_id}/persons/{self.person_id}/photos/{self.photo_id}"


def parse_photo_key(key: str) -> PhotoFileKey | None:
    """Return the parts of the key of a photo's file, or None for any other key."""
    match key.split("/"):
        case ["owners", owner, "persons", person, "photos", photo, name]:
            owner_id, person_id, photo_id = parse_key_id(owner), parse_key_id(person), parse_key_id(photo)
            if owner_id and person_id and photo_id:
                return PhotoFileKey(owner_id, person_id, photo_id, name)
    return None


def is_obsolete_file(photo: PersonPhoto, name: str) -> bool:
    """Return whether a photo's file should be gone: an upload that was normalized or that can never be used."""
    if photo.state not in (PersonPhoto.State.READY, PersonPhoto.State.FAILED):
        return False
    is_final = photo.state == PersonPhoto.State.READY or photo.error_code in NOT_RETRYABLE
    return name == "upload" or (name == "original" and is_final)
