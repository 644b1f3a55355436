"""What the ingest makes of the reels of images: one scene per image, with its keyframes, tags and on-screen text.

The result is kept below `.cache/quality` until a reel, a model or the code of the ingest changes.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.benchmark import BenchmarkUnavailable
from bench.judged_sets import SceneKey
from heimdex.environment import CHECKOUT

CACHE = CHECKOUT / ".cache" / "quality"
# The code that makes scenes of a file.
_SOURCES = ("heimdex/media", "heimdex/vision", "videos/ingest", "videos/embedding_texts.py")
FIELDS = (
    *("description", "tags", "visual_text", "described_by", "on_screen_text", "read_by"),
    *("keyframe_time_s", "other_keyframes_s", "keyframe_hash", "pictures_hash"),
)


@dataclass(frozen=True)
class ReelScene:
    """A scene of a reel: its times, the fields of its row, and its keyframes as JPEG files."""

    start_s: float
    end_s: float
    fields: dict[str, Any]
    keyframes: tuple[bytes, ...]


def load_reel_scenes(folder: Path, titles: Iterable[str], times: dict[SceneKey, tuple[float, float]]) -> dict[SceneKey, ReelScene]:
    """Return the scene that shows each image. `times` has the start and the end of each image in its reel."""
    scenes = {title: _load_reel(folder / "films" / title) for title in titles}
    return {(title, place): _select_scene(scenes[title], *span) for (title, place), span in times.items()}


def hash_sources(sources: Sequence[str] = _SOURCES) -> str:
    """Return the SHA-256 of the Python files below some paths of the checkout."""
    digest = hashlib.sha256()
    for source in sources:
        path = CHECKOUT / source
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _select_scene(scenes: Sequence[ReelScene], start_s: float, end_s: float) -> ReelScene:
    middle = (start_s + end_s) / 2
    return next(scene for scene in scenes if scene.start_s <= middle < scene.end_s)


def _load_reel(path: Path) -> list[ReelScene]:
    if not path.is_file():
        raise BenchmarkUnavailable(f"The reel {path} is missing.")
    cached = CACHE / f"{path.stem}-{_compute_key(path)[:16]}.json"
    if not cached.exists():
        scenes = _ingest(path)
        CACHE.mkdir(parents=True, exist_ok=True)
        for earlier in CACHE.glob(f"{path.stem}-*.json"):
            earlier.unlink()
        scratch = cached.with_suffix(".new")
        scratch.write_text(json.dumps([_pack(scene) for scene in scenes]))
        scratch.replace(cached)
    return [_unpack(data) for data in json.loads(cached.read_text())]


def _compute_key(path: Path) -> str:
    from heimdex.backends import get_describer, get_text_reader

    reader = get_text_reader()
    models = [get_describer().identity, reader.identity if reader else ""]
    return hashlib.sha256(path.read_bytes() + json.dumps([*models, hash_sources()]).encode()).hexdigest()


def _ingest(path: Path) -> list[ReelScene]:
    """Upload the reel as a user of its own, run all stages in this process, and read its scenes."""
    from heimdex.accounts.models import User
    from heimdex.storage import get_media_storage
    from videos.ingest.pipeline import ingest
    from videos.management.commands.ingest import upload_file
    from videos.models import Scene

    print(f"    ingesting {path.name} …", flush=True)
    owner = User.objects.create_user(f"{path.stem}@example.org", "correct horse battery", find_faces=False)
    video = upload_file(owner, path)
    ingest(video.pk)
    video.refresh_from_db()
    if video.state != video.State.INDEXED:
        raise RuntimeError(f"{path.name} was not indexed: {video.error_text}")
    scenes = []
    for scene in Scene.objects.filter(video=video).order_by("index"):
        keyframes = []
        for key, _ in scene.image_keys:
            with get_media_storage().open(key) as file:
                keyframes.append(file.read())
        scenes.append(ReelScene(scene.start_s, scene.end_s, {name: getattr(scene, name) for name in FIELDS}, tuple(keyframes)))
    owner.delete()
    return scenes


def _pack(scene: ReelScene) -> dict[str, Any]:
    keyframes = [base64.b64encode(jpeg).decode() for jpeg in scene.keyframes]
    return {"start_s": scene.start_s, "end_s": scene.end_s, "fields": scene.fields, "keyframes": keyframes}


def _unpack(data: dict[str, Any]) -> ReelScene:
    return ReelScene(data["start_s"], data["end_s"], data["fields"], tuple(base64.b64decode(jpeg) for jpeg in data["keyframes"]))
