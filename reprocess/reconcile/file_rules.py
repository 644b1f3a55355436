"""Which files should lie in the storage and which should not. Pure."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from heimdex.storage import StoredFile
from reprocess.reconcile.file_pairs import Pair
from videos.models import Scene, Video

# In the other states an upload or a worker is at the files, and their rows follow later.
SETTLED = (Video.State.INDEXED, Video.State.FAILED)


def without_row(pair: Pair, scene_ids: Collection[UUID], face_ids: Collection[UUID], stored_before: datetime) -> list[StoredFile]:
    """Return the files of a settled video that no row accounts for: of scenes or faces that are gone, or put after the upload was complete.

    Files that were stored later than `stored_before` may belong to something under way. Files of other names are left to others.
    """
    unwanted = []
    for file in pair.files:
        name = file.name
        if name.face_id:
            gone = name.face_id not in face_ids
        elif name.scene_id:
            gone = name.scene_id not in scene_ids
        else:
            gone = name.name == "upload"
        if gone and file.stored.stored_at < stored_before:
            unwanted.append(file.stored)
    return unwanted


def absent_pictures(scenes: Collection[Scene], keys: Collection[str]) -> list[str]:
    """Return the keys that an indexed video's scenes should have and have not: each keyframe in two sizes."""
    return [key for scene in scenes for pair in scene.pictures for key in pair if key not in keys]
