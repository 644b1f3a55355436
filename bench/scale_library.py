"""Fill the database with a large installation by COPY: many owners, four channels of vectors, words, and the hashes of all inputs.

The rows of the owners are mixed in the order of their videos, as years of uploads mix them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from heimdex.accounts.models import User
    from videos.models import EmbeddingSpace

SCENES_PER_VIDEO = 48
# Scenes by owner: a few large libraries, the measured small ones, and the rest of 900 owners.
MILLION = {500_000: 1, 100_000: 1, 10_000: 4, 1_000: 60, 348: 834}
HUNDRED_THOUSAND = {10_000: 1, 1_000: 10, 90: 889}


@dataclass(frozen=True)
class ScaleLibrary:
    """An installation: its owners by the number of their scenes."""

    owners: "Mapping[int, list[User]]"


@dataclass(frozen=True)
class Layout:
    """The ids of owners, videos and scenes, shape (rows, 16), and the owner, the video and the place of each scene, shape (scenes,).

    The scenes of a video are in a row.
    """

    owner_ids: NDArray[np.uint8]
    video_ids: NDArray[np.uint8]
    scene_ids: NDArray[np.uint8]
    owners: NDArray[np.int64]
    videos: NDArray[np.int64]
    places: NDArray[np.int64]


def fill_library(sizes: Mapping[int, int]) -> None:
    """Fill an empty database with owners of some sizes (scenes → owners). Constraints are checked only where COPY does."""
    from django.db import connection

    from bench.scale_rows import fill_inputs, fill_scenes, fill_vectors, fill_videos
    from bench.scale_words import fill_words

    owners = _create_owners(sizes)
    spaces = _create_spaces([owner.pk for group in owners.values() for owner in group])
    layout = lay_out({size: [owner.pk for owner in group] for size, group in owners.items()}, np.random.default_rng(1))
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        fill_videos(cursor, layout)
        fill_scenes(cursor, layout)
        for space in spaces:
            fill_vectors(cursor, space, layout)
            fill_inputs(cursor, space)
        fill_words(cursor)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("DISCARD TEMP")
        cursor.execute("VACUUM ANALYZE")


def load_library(sizes: Mapping[int, int]) -> ScaleLibrary:
    """Return the owners of the library that fills the database."""
    from heimdex.accounts.models import User

    return ScaleLibrary({size: list(User.objects.filter(email__startswith=f"owner-{size}-").order_by("email")) for size in sizes})


def lay_out(owner_ids: Mapping[int, list[UUID]], noise: np.random.Generator) -> Layout:
    """Give each owner (by the number of scenes) videos in random order among those of all others. Pure."""
    lengths: list[int] = []
    owner_numbers: list[int] = []
    every_owner = [(size, owner_id) for size, group in owner_ids.items() for owner_id in group]
    for number, (size, _) in enumerate(every_owner):
        whole, rest = divmod(size, SCENES_PER_VIDEO)
        lengths += [SCENES_PER_VIDEO] * whole + [rest] * bool(rest)
        owner_numbers += [number] * (whole + bool(rest))
    order = noise.permutation(len(lengths))
    repeats = np.array(lengths)[order]
    count = int(repeats.sum())
    return Layout(
        owner_ids=np.stack([np.frombuffer(owner_id.bytes, np.uint8) for _, owner_id in every_owner]),
        video_ids=noise.integers(0, 256, (len(lengths), 16), dtype=np.uint8),
        scene_ids=noise.integers(0, 256, (count, 16), dtype=np.uint8),
        owners=np.repeat(np.array(owner_numbers)[order], repeats),
        videos=np.repeat(np.arange(len(lengths)), repeats),
        places=np.arange(count) - np.repeat(np.cumsum(repeats) - repeats, repeats),
    )


def _create_owners(sizes: Mapping[int, int]) -> "dict[int, list[User]]":
    from heimdex.accounts.models import User

    users = {size: [User(email=f"owner-{size}-{number}@example.org") for number in range(count)] for size, count in sizes.items()}
    User.objects.bulk_create(user for group in users.values() for user in group)
    return users


def _create_spaces(owner_ids: list[UUID]) -> "list[EmbeddingSpace]":
    from reprocess.planning.targets import SCENES
    from reprocess.spec import get_effective_spec
    from videos.channels import get_channel
    from videos.models import ActiveSpace

    channels = get_effective_spec().list_channels(SCENES)
    spaces = [configured.ensure_space(channel) for configured, channel in channels if get_channel(channel).searched_by_text]
    ActiveSpace.objects.bulk_create(
        ActiveSpace(owner_id=owner, channel=space.channel, space=space) for owner in owner_ids for space in spaces
    )
    return spaces
