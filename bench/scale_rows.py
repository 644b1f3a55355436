"""Write the rows of a large library: videos, scenes, vectors and the hashes of their inputs."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.binary_copy import copy_binary
from bench.scale_vectors import make_vectors

if TYPE_CHECKING:
    from bench.scale_library import Layout
    from videos.models import EmbeddingSpace

# Of all inputs, so that every vector is current.
HASH = "0" * 64
VECTOR_FIELDS = "(scene_id, space_id, owner_id, state, vector, input_hash, error, computed_at)"


def fill_videos(cursor: Any, layout: "Layout") -> None:
    """Write the videos, uploaded at random times of 900 days."""
    first_scenes = np.flatnonzero(layout.places == 0)
    columns = {"id": layout.video_ids, "owner": layout.owner_ids[layout.owners[first_scenes]]}
    cursor.execute("CREATE TEMP TABLE filled_video (id uuid, owner_id uuid)")
    copy_binary(cursor, "filled_video", columns)
    cursor.execute(
        """INSERT INTO videos_video (id, owner_id, title, description, filename, mime_type, size_bytes, checksum, state, error_code,
               error_text, summary, tags, language, chapters, upload_expires_at, created_at, updated_at)
           SELECT id, owner_id, 'Film', '', 'film.mp4', 'video/mp4', 1, '', 'indexed', '', '', '', '[]', 'en', '[]', now(),
               now() - random() * interval '900 days', now() FROM filled_video"""
    )


def fill_scenes(cursor: Any, layout: "Layout") -> None:
    """Write the scenes, ten seconds each."""
    columns = {
        "id": layout.scene_ids,
        "video_id": layout.video_ids[layout.videos],
        "owner_id": layout.owner_ids[layout.owners],
        "index": layout.places.astype(">i4"),
    }
    cursor.execute("CREATE TEMP TABLE filled_scene (id uuid, video_id uuid, owner_id uuid, index int)")
    copy_binary(cursor, "filled_scene", columns)
    cursor.execute(
        """INSERT INTO videos_scene (id, video_id, owner_id, index, start_s, end_s, transcript, words, description, tags, visual_text,
               described_by, on_screen_text, read_by, other_keyframes_s, keyframe_hash, pictures_hash)
           SELECT id, video_id, owner_id, index, 10 * index, 10 * index + 10, 'words', '[]', '', '[]', '', '', '', '', '[]', '', ''
           FROM filled_scene"""
    )


def fill_vectors(cursor: Any, space: "EmbeddingSpace", layout: "Layout") -> None:
    """Write a vector of each scene in a space."""
    digest = np.frombuffer(HASH.encode(), np.uint8)
    state = np.frombuffer(b"embedded", np.uint8)
    space_id = np.frombuffer(space.pk.bytes, np.uint8)
    computed_at = np.frombuffer((800_000_000 * 1_000_000).to_bytes(8, "big"), np.uint8)
    owner_ids = layout.owner_ids[layout.owners]
    start = 0
    for vectors in make_vectors(space.channel, space.dimensions, layout.videos):
        count = len(vectors)
        halves = np.empty((count, 2 + space.dimensions), ">u2")
        halves[:, 0], halves[:, 1] = space.dimensions, 0
        halves[:, 2:] = vectors.astype(">f2").view(">u2")
        columns = {
            "scene": layout.scene_ids[start : start + count],
            "space": np.broadcast_to(space_id, (count, 16)),
            "owner": owner_ids[start : start + count],
            "state": np.broadcast_to(state, (count, 8)),
            "vector": halves.view(np.uint8).reshape(count, -1),
            "hash": np.broadcast_to(digest, (count, len(digest))),
            "error": np.empty((count, 0), np.uint8),
            "time": np.broadcast_to(computed_at, (count, 8)),
        }
        copy_binary(cursor, f"videos_sceneembedding {VECTOR_FIELDS}", columns)
        start += count


def fill_inputs(cursor: Any, space: "EmbeddingSpace") -> None:
    """Write the hash of each scene's input of a space."""
    cursor.execute(
        "INSERT INTO videos_sceneinput (scene_id, owner_id, channel, hash) SELECT id, owner_id, %s, %s FROM videos_scene",
        [space.channel, HASH],
    )
