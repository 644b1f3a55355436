"""Load judged sets into libraries as the ingest would leave them, and embed them with the pipeline.

Vectors are kept below `.cache/quality` by space and input hash, so that another run embeds only what has changed.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np

from bench.judged_sets import (
    LANGUAGES,
    Film,
    FilmScene,
    JudgedSet,
    SceneKey,
    find_folder,
    load_meetings,
    load_mixed,
    load_reels,
    load_sentences,
)
from bench.reel_scenes import CACHE, ReelScene, load_reel_scenes
from bench.runs import embed_all

if TYPE_CHECKING:
    from heimdex.accounts.models import User
    from videos.evaluation.references import ResolvedQuery
    from videos.models import EmbeddingSpace, Scene, Video

_BATCH = 2000


class Libraries:
    """The libraries of this database by name, each with an owner of its own. `scenes` has the ids of its scenes."""

    def __init__(self, folder: Path | None = None) -> None:
        """Read the reels if any library shows images."""
        self.folder = folder or find_folder()
        self._owners: dict[str, User] = {}
        self._scenes: dict[str, dict[SceneKey, UUID]] = {}
        self._videos: dict[str, dict[str, UUID]] = {}
        self._reels: dict[SceneKey, ReelScene] | None = None

    def add(self, name: str, *sets: JudgedSet) -> None:
        """Create an owner with the films of some sets."""
        from heimdex.accounts.models import User

        owner = User.objects.create_user(f"{name}@example.org".replace(" ", "-"), "correct horse battery", find_faces=False)
        self._owners[name], self._scenes[name], self._videos[name] = owner, {}, {}
        for film in [film for judged in sets for film in judged.films]:
            reels = self._load_reels() if any(scene.shows for scene in film.scenes) else {}
            video, scenes = make_video(owner, film, reels)
            self._videos[name][film.title] = video.pk
            self._scenes[name].update({(film.title, scene.index): scene.pk for scene in scenes})

    def add_each_set(self) -> dict[str, JudgedSet]:
        """Create a library for each judged set with answers. Return the sets by name."""
        sets = load_all_sets(self.folder)
        for name, judged in sets.items():
            self.add(name, judged)
        return sets

    def embed(self) -> None:
        """Embed all libraries, make their spaces active, and have PostgreSQL count the rows, as it does by itself in an installation."""
        from django.db import connection

        spaces = _list_spaces()
        for space in spaces:
            _insert_cached(space)
        embed_all()
        for space in spaces:
            _cache_vectors(space)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def get_owner(self, name: str) -> "User":
        """Return the owner of a library."""
        return self._owners[name]

    def resolve(self, name: str, judged: JudgedSet, *, in_films: bool = True) -> "list[ResolvedQuery]":
        """Return the queries of a set with the scenes of a library. With `in_films`, they are also asked in the films that they name."""
        from videos.evaluation.judgments import JudgedQuery
        from videos.evaluation.references import ResolvedQuery

        return [
            ResolvedQuery(
                JudgedQuery(str(number), query.text, query.query_class, {}, {}, query.film),
                {self._scenes[name][key]: grade for key, grade in query.grades.items()},
                self._videos[name].get(query.film) if in_films else None,
            )
            for number, query in enumerate(judged.queries)
        ]

    def _load_reels(self) -> dict[SceneKey, ReelScene]:
        if self._reels is None:
            reels = load_reels(self.folder).films
            times = {(film.title, place): (scene.start_s, scene.end_s) for film in reels for place, scene in enumerate(film.scenes)}
            self._reels = load_reel_scenes(self.folder, [film.title for film in reels], times)
        return self._reels


def load_main_sets(folder: Path) -> dict[str, JudgedSet]:
    """Return the sets A, B and C by name."""
    return {judged.name: judged for judged in (load_meetings(folder), load_reels(folder), load_mixed(folder))}


def load_all_sets(folder: Path) -> dict[str, JudgedSet]:
    """Return the main sets, and set D with queries and speech in one language each, by name."""
    return load_main_sets(folder) | {f"D {language}": load_sentences(folder, language, language) for language in LANGUAGES}


def make_video(owner: "User", film: Film, reels: Mapping[SceneKey, ReelScene]) -> "tuple[Video, list[Scene]]":
    """Create an indexed video whose scenes have words and keyframes. Its id depends on owner and title only, as does the order of ties."""
    from django.utils import timezone

    from videos.input_hashes import refresh_input_hashes
    from videos.models import Scene, Video, VideoMetadata
    from videos.search.lexical.handler import get_lexical_backend
    from videos.summaries import extract_chapters, extract_summary, list_common_tags

    video = Video.objects.create(
        pk=uuid5(NAMESPACE_URL, f"{owner.email}/{film.title}"),
        owner=owner,
        title=film.title,
        filename=film.title,
        mime_type="video/mp4",
        size_bytes=1,
        state=Video.State.INDEXED,
        language=film.language,
        upload_expires_at=timezone.now() + timedelta(days=1),
    )
    VideoMetadata.objects.create(
        video=video,
        owner=owner,
        container="mp4",
        duration_s=film.scenes[-1].end_s,
        width=640,
        height=480,
        fps=25,
        video_codec="h264",
        audio_codec="aac",
        language=film.language,
    )
    scenes = [_build_scene(video, index, scene, reels) for index, scene in enumerate(film.scenes)]
    Scene.objects.bulk_create(scenes, batch_size=500)
    video.summary, video.chapters, video.tags = extract_summary(scenes), extract_chapters(scenes), list_common_tags(scenes)
    video.save(update_fields=["summary", "chapters", "tags"])
    refresh_input_hashes(video)
    get_lexical_backend().index([scene.pk for scene in scenes])
    return video, scenes


def _build_scene(video: "Video", index: int, scene: FilmScene, reels: Mapping[SceneKey, ReelScene]) -> "Scene":
    from heimdex.storage import get_media_storage
    from videos.models import Scene

    row = Scene(
        pk=uuid5(video.pk, str(index)),
        video=video,
        owner=video.owner,
        index=index,
        start_s=scene.start_s,
        end_s=scene.end_s,
        transcript=" ".join(scene.text.split()),
        words=_spread_words(scene),
    )
    if scene.shows:
        shown = reels[scene.shows]
        for name, value in shown.fields.items():
            setattr(row, name, value)
        for (key, _), jpeg in zip(row.image_keys, shown.keyframes, strict=True):
            get_media_storage().save(key, jpeg, "image/jpeg")
    return row


def _spread_words(scene: FilmScene) -> list[tuple[float, float, str]]:
    words, (first, last) = scene.text.split(), scene.speech_s
    step = (last - first) / max(len(words), 1)
    return [(round(first + place * step, 3), round(first + (place + 0.9) * step, 3), word) for place, word in enumerate(words)]


def _list_spaces() -> "Sequence[EmbeddingSpace]":
    """Return the spaces that queries are compared with, as the latest spec fills them."""
    from reprocess.planning.targets import SCENES
    from reprocess.spec import get_effective_spec
    from videos.channels import list_text_channels

    searched = list_text_channels()
    return [configured.ensure_space(channel) for configured, channel in get_effective_spec().list_channels(SCENES) if channel in searched]


def _get_cache_file(space: "EmbeddingSpace") -> Path:
    return CACHE / f"vectors-{space.channel}-{space.fingerprint[:16]}.npz"


def _insert_cached(space: "EmbeddingSpace") -> None:
    """Insert the vectors of all scenes whose input was embedded in an earlier run."""
    from videos.models import SceneEmbedding, SceneInput

    if not _get_cache_file(space).exists():
        return
    with np.load(_get_cache_file(space)) as cached:
        vectors = dict(zip(cached["hashes"].tolist(), cached["vectors"].astype(np.float32), strict=True))
    rows = SceneInput.objects.filter(channel=space.channel, hash__in=list(vectors)).values_list("scene_id", "owner_id", "hash")
    SceneEmbedding.objects.bulk_create(
        [
            SceneEmbedding(scene_id=scene, space=space, owner_id=owner, state="embedded", vector=vectors[digest], input_hash=digest)
            for scene, owner, digest in rows
        ],
        batch_size=_BATCH,
    )


def _cache_vectors(space: "EmbeddingSpace") -> None:
    """Keep all vectors of a space, and those of earlier runs."""
    from videos.models import SceneEmbedding

    rows = SceneEmbedding.objects.filter(space=space, state="embedded").values_list("input_hash", "vector")
    vectors = {digest: np.asarray(vector, dtype=np.float16) for digest, vector in rows}
    if not vectors:
        return
    path = _get_cache_file(space)
    if path.exists():
        with np.load(path) as cached:
            vectors = dict(zip(cached["hashes"].tolist(), cached["vectors"], strict=True)) | vectors
    CACHE.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".new.npz")
    np.savez(scratch, hashes=np.array(list(vectors)), vectors=np.stack(list(vectors.values())))
    scratch.replace(path)
