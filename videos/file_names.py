"""What a storage key says: whose file it is, of which video, and of which scene. Pure."""

from dataclasses import dataclass
from uuid import UUID

# All that Heimdex stores lies below it.
ROOT = "owners"


@dataclass(frozen=True)
class FileName:
    """The parts of a key; `scene_id` is None for files of the whole video."""

    owner_id: UUID
    video_id: UUID
    scene_id: UUID | None
    name: str


def parse_key(key: str) -> FileName | None:
    """Return the parts of a key of a video's file; None for a key that no video's file has."""
    match key.split("/"):
        case ["owners", owner, "videos", video, name]:
            scene_id, parts = None, (_uuid(owner), _uuid(video))
        case ["owners", owner, "videos", video, "scenes", scene, name]:
            scene_id, parts = _uuid(scene), (_uuid(owner), _uuid(video))
            if scene_id is None:
                return None
        case _:
            return None
    owner_id, video_id = parts
    return FileName(owner_id, video_id, scene_id, name) if owner_id and video_id else None


def owner_prefix(owner_id: UUID | None) -> str:
    """Return the prefix of an owner's files, or of all owners'."""
    return f"{ROOT}/{owner_id}" if owner_id else ROOT


def _uuid(text: str) -> UUID | None:
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    # Only in the form that keys are made in, so that one id has one key and keys sort as ids do.
    return parsed if str(parsed) == text else None
