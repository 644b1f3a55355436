"""What a storage key says: whose file it is, of which video, of which scene, and of which face in it. Pure."""

from dataclasses import dataclass
from uuid import UUID

# All that Heimdex stores lies below it.
ROOT = "owners"


@dataclass(frozen=True)
class FileName:
    """The parts of a key; `scene_id` is None for files of the whole video, `face_id` for all but the pictures of single faces."""

    owner_id: UUID
    video_id: UUID
    scene_id: UUID | None
    face_id: UUID | None
    name: str


def parse_key(key: str) -> FileName | None:
    """Return the parts of a key of a video's file; None for a key that no video's file has."""
    scene_id = face_id = None
    match key.split("/"):
        case ["owners", owner, "videos", video, name]:
            pass
        case ["owners", owner, "videos", video, "scenes", scene, name]:
            scene_id = key_id(scene)
            if scene_id is None:
                return None
        case ["owners", owner, "videos", video, "scenes", scene, "faces", name]:
            scene_id, face_id = key_id(scene), key_id(name.removesuffix(".jpg"))
            if scene_id is None or face_id is None:
                return None
        case _:
            return None
    owner_id, video_id = key_id(owner), key_id(video)
    return FileName(owner_id, video_id, scene_id, face_id, name) if owner_id and video_id else None


def owner_prefix(owner_id: UUID | None) -> str:
    """Return the prefix of an owner's files, or of all owners'."""
    return f"{ROOT}/{owner_id}" if owner_id else ROOT


def key_id(text: str) -> UUID | None:
    """Return the id that a part of a key is; None when it is none."""
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    # Only in the form that keys are made in, so that one id has one key and keys sort as ids do.
    return parsed if str(parsed) == text else None
