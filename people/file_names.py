"""What a storage key says of a photo's file: whose it is, of which person, and of which photo. Pure."""

from dataclasses import dataclass
from uuid import UUID

from people.models import PersonPhoto
from people.photos.errors import HOPELESS
from videos.file_names import key_id


@dataclass(frozen=True)
class PhotoFileName:
    """The parts of a key; the person is the one for whom the photo was announced."""

    owner_id: UUID
    person_id: UUID
    photo_id: UUID
    name: str

    @property
    def storage_prefix(self) -> str:
        """Return the prefix that all files of the photo share."""
        return f"owners/{self.owner_id}/persons/{self.person_id}/photos/{self.photo_id}"


def parse_photo_key(key: str) -> PhotoFileName | None:
    """Return the parts of a key of a photo's file; None for a key that no photo's file has."""
    match key.split("/"):
        case ["owners", owner, "persons", person, "photos", photo, name]:
            owner_id, person_id, photo_id = key_id(owner), key_id(person), key_id(photo)
            if owner_id and person_id and photo_id:
                return PhotoFileName(owner_id, person_id, photo_id, name)
    return None


def is_left_over(photo: PersonPhoto, name: str) -> bool:
    """Say whether a file of a photo should be there no more: what arrived, once the copy is made or nothing can be made of it."""
    if photo.state not in (PersonPhoto.State.READY, PersonPhoto.State.FAILED):
        return False
    is_done = photo.state == PersonPhoto.State.READY or photo.error_code in HOPELESS
    return name == "upload" or (name == "original" and is_done)
