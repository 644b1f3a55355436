"""Create libraries of indexed videos to embed: texts with the lengths of real speech, and keyframes of 720p."""

import io
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from videos.models import Scene, Video

WORDS = (
    *("the", "of", "and", "to", "in", "is", "that", "for", "it", "as", "was", "with", "on", "by", "this", "from", "at", "which", "are"),
    *("not", "have", "be", "or", "one", "all", "we", "you", "can", "there", "they", "harbour", "railway", "budget", "kitchen", "garden"),
    *("weather", "engine", "window", "mountain", "question", "answer", "evening", "music", "river", "market", "station", "teacher"),
    *("morning", "picture", "number", "company", "history", "science", "language", "village", "summer", "winter", "energy", "rocket"),
)
# Characters of a scene's transcript: mostly a few sentences, at most a minute of speech. They fit in the text model's window, so the
# naive loop does not skip any text.
TRANSCRIPT_LENGTHS = (0, 40, 70, 90, 120, 150, 180, 210, 240, 280, 320, 360, 400, 450, 500, 560, 640, 720, 800, 900)
VISUAL_LENGTHS = (60, 80, 100, 120, 140, 160, 180, 200)
SUMMARY_LENGTH = 300


def make_library(videos: int, scenes: int, *, texts: bool, images: bool) -> "list[Video]":
    """Create indexed videos of one owner. All videos have the same text lengths, with different words."""
    from heimdex.accounts.models import User
    from videos.input_hashes import refresh_input_hashes
    from videos.models import Scene, Video

    chance = random.Random(1)
    owner = User.objects.create_user("bench@example.org", "correct horse battery")
    library = []
    for number in range(videos):
        video = Video.objects.create(
            owner=owner,
            title=f"Film {number}",
            filename="film.mp4",
            mime_type="video/mp4",
            size_bytes=1,
            state=Video.State.INDEXED,
            summary=_generate_words(chance, SUMMARY_LENGTH) if texts else "",
            upload_expires_at=_get_expiry(),
        )
        rows = [_build_scene(video, index, chance, texts=texts) for index in range(scenes)]
        if images:
            _save_keyframes(rows)
        Scene.objects.bulk_create(rows)
        refresh_input_hashes(video)
        library.append(video)
    return library


def _build_scene(video: "Video", index: int, chance: random.Random, *, texts: bool) -> "Scene":
    from videos.models import Scene

    transcript = _generate_words(chance, TRANSCRIPT_LENGTHS[index % len(TRANSCRIPT_LENGTHS)]) if texts else ""
    visual_text = f"Likely shows: {_generate_words(chance, VISUAL_LENGTHS[index % len(VISUAL_LENGTHS)])}." if texts else ""
    return Scene(
        video=video,
        owner=video.owner,
        index=index,
        start_s=10.0 * index,
        end_s=10.0 * index + 10,
        transcript=transcript,
        visual_text=visual_text,
    )


def _save_keyframes(scenes: "Sequence[Scene]") -> None:
    """Save a different keyframe of 1280 × 720 for each scene: soft shapes with grain, about 150 kB as JPEG."""
    import numpy as np
    from PIL import Image

    from heimdex.storage import get_media_storage
    from videos.embedding_texts import hash_input

    seed = scenes[0].pk.int % 2**32
    noise = np.random.default_rng(seed)
    shapes = Image.fromarray(noise.integers(0, 256, (9, 16, 3), dtype=np.uint8)).resize((1280, 720), Image.Resampling.BICUBIC)
    grainy = np.clip(np.asarray(shapes, dtype=np.int16) + noise.integers(-6, 7, (720, 1280, 1)), 0, 255).astype(np.uint8)
    for scene in scenes:
        frame = np.roll(grainy, 37 * scene.index, axis=1)
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=90)
        scene.keyframe_hash = hash_input(file.getvalue())
        scene.keyframe_time_s = scene.start_s
        get_media_storage().save(scene.keyframe_key, file.getvalue(), "image/jpeg")


def _generate_words(chance: random.Random, characters: int) -> str:
    text = ""
    while len(text) < characters:
        text += chance.choice(WORDS) + " "
    return text.strip()


def _get_expiry() -> datetime:
    from django.utils import timezone

    return timezone.now() + timedelta(days=1)
