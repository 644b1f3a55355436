"""Films with a face, people with photos, and runs over them."""

import io
from datetime import timedelta
from pathlib import Path

import skimage
from django.utils import timezone
from PIL import Image

from heimdex.accounts.models import User
from heimdex.backends import backends
from heimdex.storage import get_media_storage
from people.models import FaceMatch, Person, PersonPhoto
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.refresh_people import refresh_people
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.library import make_video
from videos.channels import KEYFRAME, KEYFRAMES
from videos.embedding_texts import hash_input
from videos.input_hashes import refresh_input_hashes
from videos.models import Scene, Video

ALL = Scope("all")


def load_astronaut() -> Image.Image:
    """Return a portrait of Eileen Collins."""
    return Image.open(Path(skimage.__file__).parent / "data" / "astronaut.png").convert("RGB")


def encode_jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def set_keyframe(scene: Scene, image: bytes) -> None:
    """Store an image as the scene's keyframe, as the ingest does."""
    get_media_storage().save(scene.keyframe_key, image, "image/jpeg")
    scene.keyframe_hash = scene.pictures_hash = hash_input(image)
    scene.save(update_fields=["keyframe_hash", "pictures_hash"])
    refresh_input_hashes(scene.video, KEYFRAME, KEYFRAMES)


def make_film(owner: User, title: str = "A film") -> Video:
    """Create a video whose second scene shows the astronaut."""
    video = make_video(owner, title=title)
    for scene in video.scenes.all():
        if scene.index == 1:
            set_keyframe(scene, encode_jpeg(load_astronaut().crop((60, 0, 460, 225))))
        else:
            Scene.objects.filter(pk=scene.pk).update(pictures_hash=scene.keyframe_hash)
    refresh_input_hashes(video)
    return video


def add_photo(person: Person, content: bytes) -> PersonPhoto:
    """Add a photo whose upload is complete."""
    photo = PersonPhoto.objects.create(
        person=person,
        owner=person.owner,
        filename="photo.jpg",
        mime_type="image/jpeg",
        size_bytes=len(content),
        state=PersonPhoto.State.UPLOADED,
        upload_expires_at=timezone.now() + timedelta(hours=1),
    )
    get_media_storage().save(photo.original_key, content, "image/jpeg")
    return photo


def make_known_person(owner: User, name: str = "Eileen") -> Person:
    """Create a person with a READY photo."""
    person = Person.objects.create(owner=owner, name=name)
    add_photo(person, encode_jpeg(load_astronaut().crop((100, 0, 400, 300))))
    refresh_people(owner.pk)
    return person


def count_calls() -> int:
    """Return the number of calls of the face model so far."""
    calls: int = backends["faces"].calls
    return calls


def finish_run(run: ReprocessRun) -> ReprocessRun:
    """Work on a run until it ends."""
    run_worker(run.pk)
    run.refresh_from_db()
    return run


def run(scope: Scope = ALL, *, force: bool = False) -> ReprocessRun:
    return finish_run(start_run(scope, force=force, entry_point="command", requested_by=None))


def find_scenes(person: Person) -> list[int]:
    """Return the indexes of the scenes in which the person was recognized."""
    return sorted(FaceMatch.objects.filter(person=person).values_list("scene__index", flat=True))
