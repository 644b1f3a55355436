"""Parse the storage keys of videos' files. Pure."""

from dataclasses import dataclass
from uuid import UUID

# The prefix of every file that Heimdex stores.
ROOT = "owners"


@dataclass(frozen=True)
class VideoFileKey:
    """The parts of a key. `scene_id` is None for files of the whole video; `face_id` is None unless the file is the image of a face."""

    owner_id: UUID
    video_id: UUID
    scene_id: UUID | None
    face_id: UUID | None
    name: str


def parse_key(key: str) -> VideoFileKey | None:
    """Return the parts of the key of a video's file, or None for any other key."""
    scene_id = face_id = None
    match key.split("/"):
        case ["owners", owner, "videos", video, name]:
            pass
        case ["owners", owner, "videos", video, "scenes", scene, name]:
            scene_id = parse_key_id(scene)
            if scene_id is None:
                return None
        case ["owners", owner, "videos", video, "scenes", scene, "faces", name]:
            scene_id, face_id = parse_key_id(scene), parse_key_id(name.removesuffix(".jpg"))
            if scene_id is None or face_id is None:
                return None
        case _:
            return None
    owner_id, video_id = parse_key_id(owner), parse_key_id(video)
    return VideoFileKey(owner_id, video_id, scene_id, face_id, name) if owner_id and video_id else None


def get_owner_prefix(owner_id: UUID | None) -> str:
    """Return the prefix of an owner's files, or of the files of all owners."""
    return f"{ROOT}/{owner_id}" if owner_id else ROOT


def parse_key_id(text: str) -> UUID | None:
    """Return the id in a part of a key, or None when it is not an id."""
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    # Only the canonical form is valid, so that an id has one key and keys sort like ids.
    return parsed if str(parsed) == text else None
