"""Fill the database with a large installation by COPY: many owners, four channels of vectors, words, and the hashes of all inputs.

The rows of the owners are mixed in the order of their videos, as years of uploads mix them.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from videos.models import EmbeddingSpace

SCENES_PER_VIDEO = 48
# Scenes by owner: a few large libraries, the measured small ones, and the rest of 900 owners.
MILLION = {500_000: 1, 100_000: 1, 10_000: 4, 1_000: 60, 348: 834}
HUNDRED_THOUSAND = {10_000: 1, 1_000: 10, 90: 889}
VOCABULARY = 20_000
TEXTS = 4_000
# Vectors of topics, as videos have them: of an owner's scenes, some are near each other.
TOPICS = 3_000
_CHUNK = 20_000
_WORDS_FIELDS = (
    "scene_id, owner_id, video_id, index, spoken, shown, on_screen, spoken_count, spoken_window, shown_count, on_screen_count, text_hash"
)


@dataclass(frozen=True)
class ScaleLibrary:
    """An installation: the owners by the number of their scenes."""

    owners: dict[int, list[UUID]]


def fill_library(sizes: dict[int, int]) -> ScaleLibrary:
    """Fill an empty database with owners of some sizes (scenes → owners). Constraints are checked only where COPY does."""
    from django.db import connection

    noise = np.random.default_rng(1)
    owners = _create_owners(sizes)
    spaces = _create_spaces(owners)
    owner_of_scene, video_of_scene = _lay_out(owners, noise)
    scene_ids = noise.integers(0, 256, (len(owner_of_scene), 16), dtype=np.uint8)
    video_ids = noise.integers(0, 256, (int(video_of_scene.max()) + 1, 16), dtype=np.uint8)
    owner_ids = np.stack([np.frombuffer(owner.bytes, np.uint8) for group in owners.values() for owner in group])
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        _fill_videos(cursor, video_ids, owner_ids, owner_of_scene, video_of_scene)
        _fill_scenes(cursor, scene_ids, video_ids[video_of_scene], owner_ids[owner_of_scene], _number_scenes(video_of_scene))
        for space in spaces:
            _fill_vectors(cursor, space, scene_ids, owner_ids[owner_of_scene], video_of_scene)
        _fill_words(cursor)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")
    return ScaleLibrary(owners)


def _create_owners(sizes: dict[int, int]) -> dict[int, list[UUID]]:
    from heimdex.accounts.models import User

    users = {size: [User(email=f"owner-{size}-{number}@example.org") for number in range(count)] for size, count in sizes.items()}
    User.objects.bulk_create(user for group in users.values() for user in group)
    return {size: [user.pk for user in group] for size, group in users.items()}


def _create_spaces(owners: dict[int, list[UUID]]) -> "list[EmbeddingSpace]":
    from reprocess.planning.targets import SCENES
    from reprocess.spec import get_effective_spec
    from videos.channels import get_channel
    from videos.models import ActiveSpace

    channels = get_effective_spec().list_channels(SCENES)
    spaces = [configured.ensure_space(channel) for configured, channel in channels if get_channel(channel).searched_by_text]
    ActiveSpace.objects.bulk_create(
        ActiveSpace(owner_id=owner, channel=space.channel, space=space) for group in owners.values() for owner in group for space in spaces
    )
    return spaces


def _lay_out(owners: dict[int, list[UUID]], noise: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of the owner and of the video of each scene: videos in random order, each with its scenes in a row."""
    lengths: list[int] = []
    owner_numbers: list[int] = []
    number = 0
    for size, group in owners.items():
        for _ in group:
            whole, rest = divmod(size, SCENES_PER_VIDEO)
            lengths += [SCENES_PER_VIDEO] * whole + [rest] * bool(rest)
            owner_numbers += [number] * (whole + bool(rest))
            number += 1
    order = noise.permutation(len(lengths))
    repeats = np.array(lengths)[order]
    return np.repeat(np.array(owner_numbers)[order], repeats), np.repeat(np.arange(len(lengths)), repeats)


def _number_scenes(video_of_scene: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the index of each scene in its video."""
    starts = np.flatnonzero(np.diff(video_of_scene, prepend=-1))
    return np.arange(len(video_of_scene)) - np.repeat(starts, np.diff(np.append(starts, len(video_of_scene))))


def _fill_videos(cursor: Any, video_ids: Any, owner_ids: Any, owner_of_scene: Any, video_of_scene: Any) -> None:
    firsts = np.flatnonzero(np.diff(video_of_scene, prepend=-1))
    text = io.StringIO()
    for number, first in enumerate(firsts):
        text.write(f"{video_ids[number].tobytes().hex()}\t{owner_ids[owner_of_scene[first]].tobytes().hex()}\tFilm {number}\n")
    cursor.execute("CREATE TEMP TABLE filled_video (id uuid, owner_id uuid, title text)")
    with cursor.copy("COPY filled_video FROM STDIN") as copy:
        copy.write(text.getvalue())
    cursor.execute(
        """INSERT INTO videos_video (id, owner_id, title, description, filename, mime_type, size_bytes, checksum, state, error_code,
               error_text, summary, tags, language, chapters, upload_expires_at, created_at, updated_at)
           SELECT id, owner_id, title, '', 'film.mp4', 'video/mp4', 1, '', 'indexed', '', '', '', '[]', 'en', '[]', now(),
               now() - random() * interval '900 days', now() FROM filled_video"""
    )


def _fill_scenes(cursor: Any, scene_ids: Any, video_ids: Any, owner_ids: Any, indexes: Any) -> None:
    columns = {"id": scene_ids, "video_id": video_ids, "owner_id": owner_ids, "index": indexes.astype(">i4")}
    cursor.execute("CREATE TEMP TABLE filled_scene (id uuid, video_id uuid, owner_id uuid, index int)")
    _copy_binary(cursor, "filled_scene", columns)
    cursor.execute(
        """INSERT INTO videos_scene (id, video_id, owner_id, index, start_s, end_s, transcript, words, description, tags, visual_text,
               described_by, on_screen_text, read_by, other_keyframes_s, keyframe_hash, pictures_hash)
           SELECT id, video_id, owner_id, index, 10 * index, 10 * index + 10, 'words', '[]', '', '[]', '', '', '', '', '[]', '', ''
           FROM filled_scene"""
    )


def _fill_vectors(cursor: Any, space: "EmbeddingSpace", scene_ids: Any, owner_ids: Any, video_of_scene: Any) -> None:
    digest = np.frombuffer(b"0" * 64, np.uint8)
    state = np.frombuffer(b"embedded", np.uint8)
    space_id = np.frombuffer(space.pk.bytes, np.uint8)
    computed_at = np.frombuffer((800_000_000 * 1_000_000).to_bytes(8, "big"), np.uint8)
    fields = "(scene_id, space_id, owner_id, state, vector, input_hash, error, computed_at)"
    start = 0
    for vectors in make_vectors(space.channel, space.dimensions, video_of_scene):
        count = len(vectors)
        halves = np.empty((count, 2 + space.dimensions), ">u2")
        halves[:, 0], halves[:, 1] = space.dimensions, 0
        halves[:, 2:] = vectors.astype(">f2").view(">u2")
        columns = {
            "scene": scene_ids[start : start + count],
            "space": np.broadcast_to(space_id, (count, 16)),
            "owner": owner_ids[start : start + count],
            "state": np.broadcast_to(state, (count, 8)),
            "vector": halves.view(np.uint8).reshape(count, -1),
            "hash": np.broadcast_to(digest, (count, 64)),
            "error": np.empty((count, 0), np.uint8),
            "time": np.broadcast_to(computed_at, (count, 8)),
        }
        _copy_binary(cursor, f"videos_sceneembedding {fields}", columns)
        start += count
    cursor.execute(
        """INSERT INTO videos_sceneinput (scene_id, owner_id, channel, hash)
           SELECT id, owner_id, %s, repeat('0', 64) FROM videos_scene""",
        [space.channel],
    )


def make_vectors(channel: str, dimensions: int, video_of_scene: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
    """Yield normalized vectors, shape (scenes, dimensions), in chunks of scenes.

    As in real models, all vectors lean to one side, few directions hold most of the variance, and the scenes of a video share topics.
    """
    noise = np.random.default_rng([len(channel), *channel.encode()])
    basis, topics = make_topics(noise, dimensions)
    for start in range(0, len(video_of_scene), _CHUNK):
        videos = video_of_scene[start : start + _CHUNK]
        first = topics[(videos * 7) % TOPICS]
        second = topics[noise.integers(0, TOPICS, len(videos))]
        own = noise.standard_normal((len(videos), dimensions), dtype=np.float32) * basis
        vectors = first * 0.5 + second * 0.7 + own * 0.7
        vectors[:, 0] += 0.5
        yield vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def make_topics(noise: np.random.Generator, dimensions: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the scale of each direction (variance falls with its rank), and the vectors of the topics."""
    basis = (np.arange(1, dimensions + 1, dtype=np.float32) + 10) ** -0.5
    basis /= np.linalg.norm(basis)
    return basis, noise.standard_normal((TOPICS, dimensions), dtype=np.float32) * basis


def _fill_words(cursor: Any) -> None:
    """Give each scene one of some texts, with the key of its owner in front of each word, and sum the words of videos."""
    from heimdex.accounts.models import User
    from heimdex.text_analysis import ANALYSIS_VERSION
    from videos.search.lexical.lexemes import get_owner_key

    cursor.execute("CREATE TEMP TABLE filled_text (number int, vector text, count int)")
    with cursor.copy("COPY filled_text FROM STDIN") as copy:
        for row in _make_texts():
            copy.write_row(row)
    cursor.execute("CREATE TEMP TABLE filled_key (owner_id uuid, key text)")
    owner_ids = list(User.objects.values_list("pk", flat=True))
    with cursor.copy("COPY filled_key FROM STDIN") as copy:
        for owner_id in owner_ids:
            copy.write_row((owner_id, get_owner_key(owner_id)))
    cursor.execute(
        f"""INSERT INTO videos_scenewords ({_WORDS_FIELDS})
            SELECT scene.id, scene.owner_id, scene.video_id, scene.index, replace(vector, '{{}}', key)::tsvector, '', '', count, 2 * count, 0, 0, ''
            FROM videos_scene scene JOIN filled_key USING (owner_id) JOIN filled_text ON number = mod(abs(hashtext(scene.id::text)), {TEXTS})"""
    )
    cursor.execute(
        f"""INSERT INTO videos_ownerword (owner_id, word, reversed, word_count, stem_count)
            SELECT owner_id, word, reverse(word), sum(times), sum(times)
            FROM (SELECT owner_id, mod(abs(hashtext(id::text)), {TEXTS}) AS number, count(*) AS times FROM videos_scene GROUP BY 1, 2) used
            JOIN (SELECT number, ltrim(unnest(tsvector_to_array(replace(vector, '{{}}', '')::tsvector)), '~') AS word FROM filled_text) held
                USING (number)
            GROUP BY owner_id, word"""
    )
    cursor.execute(
        """INSERT INTO videos_videowords (video_id, owner_id, title, description, spoken_scenes, spoken_windows, shown_scenes, shown_words,
               on_screen_scenes, on_screen_words, text_hash, languages, analysis_version)
           SELECT video_id, owner_id, '', '', count(*), sum(spoken_window), 0, 0, 0, 0, '', '{en}', %s
           FROM videos_scenewords GROUP BY video_id, owner_id""",
        [ANALYSIS_VERSION],
    )


def _make_texts() -> Iterator[tuple[int, str, int]]:
    """Yield texts of tsvectors with 5 to 60 words whose frequencies fall with their rank, as in speech."""
    chance = np.random.default_rng(2)
    weights = 1 / np.arange(1, VOCABULARY + 1)
    weights /= weights.sum()
    for number in range(TEXTS):
        words = chance.choice(VOCABULARY, int(chance.integers(5, 60)), p=weights)
        places: dict[str, list[int]] = {}
        for place, word in enumerate(words, start=1):
            places.setdefault(make_word(int(word)), []).append(place)
        vector = " ".join(f"'{{}}{mark}{word}':{','.join(map(str, spots))}" for word, spots in places.items() for mark in ("", "~"))
        yield number, vector, len(words)


def make_word(rank: int) -> str:
    """Return a word of letters for a rank in the vocabulary, which no stemmer changes and no stop word equals."""
    letters = ""
    while True:
        rank, letter = divmod(rank, 20)
        letters = "bcdfghjklmnpqrtvwxzk"[letter] + "aou"[rank % 3] + letters
        if not rank:
            return letters + "k"


def _copy_binary(cursor: Any, target: str, columns: dict[str, NDArray[Any]]) -> None:
    """Append rows whose columns have one length each, given as arrays of shape (rows, bytes) or as big-endian integers."""
    count = len(next(iter(columns.values())))
    parts: list[NDArray[np.uint8]] = [np.broadcast_to(np.array([0, len(columns)], np.uint8), (count, 2))]
    for values in columns.values():
        content = np.ascontiguousarray(values).view(np.uint8).reshape(count, -1) if values.size else np.empty((count, 0), np.uint8)
        parts += [np.broadcast_to(np.frombuffer(content.shape[1].to_bytes(4, "big"), np.uint8), (count, 4)), content]
    with cursor.copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for start in range(0, count, _CHUNK):
            copy.write(np.concatenate([part[start : start + _CHUNK] for part in parts], axis=1).tobytes())
        copy.write(b"\xff\xff")
