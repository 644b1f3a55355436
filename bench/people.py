"""F2 and F3: recognition of two people in the demo film by one photo each, and the delay of a photo with idle workers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from bench.benchmark import Goal, Group
from bench.installation import empty_database
from bench.workers import run_workers, wait_until
from demo.people import PEOPLE

ROUNDS = 5


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield the share of (person, scene) pairs that search gets right, and a photo's delay in seconds beyond the model's own time."""
    from demo.film import build_demo_film
    from heimdex.accounts.models import User
    from heimdex.queue import UPLOADS

    empty_database()
    owner = User.objects.create_user("bench@example.org", "correct horse battery")
    with TemporaryDirectory() as folder, run_workers(UPLOADS):
        film = build_demo_film(Path(folder) / "film.mp4")
        video = _uploaded(owner, film.path)
        wait_until(lambda: _state(video) not in video.MOVING, "the film is not indexed")
        if _state(video) != video.State.INDEXED:
            raise RuntimeError("the film was not indexed")
        for number in range(ROUNDS):
            added = [_person_with_photo(owner, f"{known.name} {number}", known.photo) for known in PEOPLE]
            found = [_scenes_with(owner, person) for person, _ in added]
            right = [
                (place in places) == (scene.image == known.image)
                for known, places in zip(PEOPLE, found, strict=True)
                for place, scene in enumerate(film.scenes)
            ]
            waits = [seconds - _bare_s(known.photo) for known, (_, seconds) in zip(PEOPLE, added, strict=True)]
            yield {"F2": sum(right) / len(right), "F3": mean(waits)}
            # The people of the next round must be recognized by their own photos.
            for person, _ in added:
                person.delete()


def _uploaded(owner: Any, path: Path) -> Any:
    from heimdex.storage import get_media_storage
    from videos.actions.uploads import VideoUpload, complete_upload, init_upload

    video, _ = init_upload(owner, VideoUpload(path.name, "video/mp4", path.stat().st_size))
    get_media_storage().save(video.upload_key, path.read_bytes(), "video/mp4")
    return complete_upload(owner, video.pk)


def _state(video: Any) -> str:
    video.refresh_from_db(fields=["state"])
    return str(video.state)


def _person_with_photo(owner: Any, name: str, file: Path) -> tuple[Any, float]:
    """Return a person with one photo, and the seconds from its completion until the query vector exists."""
    from heimdex.storage import get_media_storage
    from heimdex.uploads.flow import UploadRequest
    from people.actions.persons import add_person
    from people.actions.photos import complete_photo_upload, init_photo_upload
    from people.models import FaceMatch, QueryEmbedding

    person = add_person(owner, name)
    photo, _ = init_photo_upload(owner, person.pk, UploadRequest(file.name, "image/jpeg", file.stat().st_size))
    get_media_storage().save(photo.upload_key, file.read_bytes(), "image/jpeg")
    complete_photo_upload(owner, person.pk, photo.pk)
    renewed = QueryEmbedding.objects.filter(person=person, state=QueryEmbedding.State.EMBEDDED)
    seconds = wait_until(renewed.exists, "the photo does not become READY")
    wait_until(FaceMatch.objects.filter(person=person).exists, "nobody is found")
    return person, seconds


def _scenes_with(owner: Any, person: Any) -> set[int]:
    from videos.search.service import SearchRequest, search

    return {hit.scene.index for hit in search(owner, SearchRequest("", person_ids=(person.pk,))).hits}


def _bare_s(file: Path) -> float:
    """Return the seconds that the model itself takes for a photo."""
    from PIL import Image

    from heimdex.backends import get_face_model

    model = get_face_model()
    if model is None:
        raise RuntimeError("faces are switched off")
    picture = Image.open(file).convert("RGB")
    model.find_faces([picture])
    began = perf_counter()
    model.find_faces([picture])
    return perf_counter() - began


GROUP = Group(
    (
        Goal(
            "F2",
            "(person, scene) pairs of the demo film about which a search for its two people, by one photo each, is right",
            "all its pairs",
            1.0,
            unit="share",
        ),
        Goal(
            "F3",
            "from completing a photo until its person is looked for with it, beside an idle worker",
            "the model's own time",
            2.0,
            unit="s more",
            at_least=False,
        ),
    ),
    run_rounds,
)
