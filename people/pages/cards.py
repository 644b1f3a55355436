"""Cards of people, photos, faces and groups, which the templates render."""

from dataclasses import dataclass

from heimdex.outages.texts import describe_wait
from people.models import FaceGroup, Person, PersonPhoto, SceneFace
from people.queries import get_portrait_url
from people.status import PersonStatus
from videos.times import format_time

STATE_LABELS = {
    PersonPhoto.State.UPLOADING: "Uploading",
    PersonPhoto.State.UPLOADED: "Queued",
    PersonPhoto.State.PROCESSING: "Looking for the face",
    PersonPhoto.State.READY: "Ready",
    PersonPhoto.State.FAILED: "Cannot be used",
}


@dataclass(frozen=True)
class PersonCard:
    """One person in the list. `thumbnail_url` is empty without a ready photo."""

    person: Person
    status: PersonStatus
    thumbnail_url: str


@dataclass(frozen=True)
class PhotoCard:
    """One photo of a person and its number on the page. `wait_text` says which outage's end it waits for, if any."""

    photo: PersonPhoto
    number: int
    state_label: str
    wait_text: str


@dataclass(frozen=True)
class FaceCard:
    """One face and its time in the video."""

    face: SceneFace
    time: str


@dataclass(frozen=True)
class GroupCard:
    """One group with its best faces and its number on the page."""

    group: FaceGroup
    number: int
    scenes: int
    faces: tuple[FaceCard, ...]


def build_person_card(person: Person) -> PersonCard:
    """Build the card of a person from `annotate_status` and `prefetch_portraits`."""
    return PersonCard(person, PersonStatus.of(person), get_portrait_url(person))


def build_photo_card(photo: PersonPhoto, number: int) -> PhotoCard:
    """Build the card of a photo."""
    wait = describe_wait(photo) if photo.is_in_progress else None
    label = wait.label if wait else STATE_LABELS[PersonPhoto.State(photo.state)]
    return PhotoCard(photo, number, label, wait.text if wait else "")


def build_face_card(face: SceneFace) -> FaceCard:
    """Build the card of a face."""
    return FaceCard(face, format_time(face.time_s))


def build_group_card(group: FaceGroup, number: int) -> GroupCard:
    """Build the card of a group from `find_unnamed_groups_with_faces`."""
    columns = vars(group)
    return GroupCard(group, number, columns["scenes"], tuple(build_face_card(face) for face in columns["best_faces"]))
