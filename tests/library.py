"""Small libraries of indexed videos, for tests of everything after the ingest."""

import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone
from PIL import Image, ImageDraw

from heimdex.accounts.models import User
from heimdex.leases import Lease, LeasedModel
from heimdex.storage import get_media_storage
from videos.embedding_texts import hash_input, join_description_and_tags
from videos.input_hashes import refresh_input_hashes
from videos.models import Scene, Video

SAYINGS = (
    "The quick boat sailed over the cold northern sea towards the harbour.",
    "She planted tomatoes and basil in the small garden behind the kitchen.",
    "The committee discussed the budget for the new railway station.",
    "",
)


def make_user(email: str = "owner@example.org", **fields: object) -> User:
    """Create a user whose password is `correct horse battery`."""
    return User.objects.create_user(email, "correct horse battery", **fields)


def make_video(owner: User, sayings: Sequence[str] = SAYINGS, title: str = "A film") -> Video:
    """Create an indexed video with one scene of five seconds per saying, keyframes included; an empty saying is a scene without speech."""
    video = Video.objects.create(
        owner=owner,
        title=title,
        filename="film.mp4",
        mime_type="video/mp4",
        size_bytes=1,
        state=Video.State.INDEXED,
        summary=" ".join(sayings)[:200],
        upload_expires_at=timezone.now() + timedelta(hours=1),
    )
    for index, saying in enumerate(sayings):
        make_scene(video, index, saying)
    refresh_input_hashes(video)
    return video


def make_scene(video: Video, index: int, saying: str) -> None:
    """Add a scene of five seconds with its keyframe to a video. `refresh_input_hashes` is to follow."""
    start = 5.0 * index
    jpeg = make_image(index)
    words = [[start + 0.1 * place, start + 0.1 * place + 0.09, word] for place, word in enumerate(saying.split())]
    description = f"Likely shows: object {index}."
    scene = Scene.objects.create(
        video=video,
        owner=video.owner,
        index=index,
        start_s=start,
        end_s=start + 5.0,
        transcript=saying,
        words=words,
        description=description,
        tags=[{"name": f"object {index}", "confidence": 0.5}],
        visual_text=join_description_and_tags(description, [{"name": f"object {index}"}]),
        keyframe_time_s=start + 2.5,
        keyframe_hash=hash_input(jpeg),
    )
    get_media_storage().save(scene.keyframe_key, jpeg, "image/jpeg")


def get_stored_hash(target: Any, channel: str) -> str:
    """Return the stored input hash of a scene, a photo or a person in one channel."""
    value: str = target.inputs.get(channel=channel).hash
    return value


def make_image(index: int) -> bytes:
    """Return a JPEG that differs for each index."""
    image = Image.new("RGB", (320, 180), (20 + 30 * index % 200, 90, 160 - index % 97))
    ImageDraw.Draw(image).ellipse((40 + 10 * (index % 16), 30, 200, 150), fill=(240, 40 * index % 255, 30))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def get_lease(row: LeasedModel) -> Lease:
    """Return the lease of a row's worker."""
    assert row.lease_token
    return Lease(type(row), row.lease_token, frozenset([row.pk]))
