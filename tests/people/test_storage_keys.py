"""The storage keys of photos and faces."""

from uuid import uuid4

import pytest

from people.models import PersonPhoto
from people.storage_keys import PhotoFileKey, is_obsolete_file, parse_photo_key
from videos.storage_keys import parse_key


def test_a_photo_key_is_parsed() -> None:
    owner, person, photo = uuid4(), uuid4(), uuid4()
    prefix = f"owners/{owner}/persons/{person}/photos/{photo}"

    name = parse_photo_key(f"{prefix}/photo.jpg")

    assert name == PhotoFileKey(owner, person, photo, "photo.jpg")
    assert name.storage_prefix == prefix
    for other in (
        prefix,
        f"{prefix}/more/photo.jpg",
        f"owners/{owner}/persons/{person}/photo.jpg",
        f"{prefix.upper()}/photo.jpg",
        prefix.replace(str(photo), "1") + "/photo.jpg",
    ):
        assert parse_photo_key(other) is None


def test_a_face_key_names_its_scene() -> None:
    owner, video, scene, face = uuid4(), uuid4(), uuid4(), uuid4()
    key = f"owners/{owner}/videos/{video}/scenes/{scene}/faces/{face}.jpg"

    name = parse_key(key)

    assert name is not None
    assert (name.video_id, name.scene_id, name.face_id) == (video, scene, face)
    assert parse_key(key.replace(f"{face}.jpg", "face.jpg")) is None
    assert parse_photo_key(key) is None


@pytest.mark.parametrize(
    ("state", "code", "obsolete"),
    [
        ("uploading", "", set()),
        ("uploaded", "", set()),
        ("processing", "", set()),
        ("ready", "", {"upload", "original"}),
        # The uploaded file is kept for a retry, unless a retry cannot succeed.
        ("failed", "gave_up", {"upload"}),
        ("failed", "no_face", {"upload", "original"}),
        ("failed", "damaged", {"upload", "original"}),
    ],
)
def test_an_upload_is_obsolete_once_it_is_normalized_or_can_never_be_used(state: str, code: str, obsolete: set[str]) -> None:
    photo = PersonPhoto(state=state, error_code=code)
    assert {name for name in ("upload", "original", "photo.jpg", "thumbnail.jpg") if is_obsolete_file(photo, name)} == obsolete
