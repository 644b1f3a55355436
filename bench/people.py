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
    """Yield the share of (person, scene) pairs that search gets right, and the delay of a photo in seconds beyond the model's own time."""
    from demo.film import build_demo_film
    from heimdex.accounts.models import User
    from heimdex.queue import UPLOADS

    empty_database()
    owner = User.objects.create_user("bench@example.org", "correct horse battery")
    with TemporaryDirectory() as folder, run_workers(UPLOADS):
        film = build_demo_film(Path(folder) / "film.mp4")
        video = _upload(owner, film.path)
        wait_until(lambda: _read_state(video) not in video.PROCESSING_STATES, "the film is not indexed")
        if _read_state(video) != video.State.INDEXED:
            raise RuntimeError("the film was not indexed")
        for number in range(ROUNDS):
            added = [_add_person(owner, f"{known.name} {number}", known.photo) for known in PEOPLE]
            results = [_search_scenes(owner, person) for person, _ in added]
            correct = [
                (index in indexes) == (scene.image == known.image)
                for known, indexes in zip(PEOPLE, results, strict=True)
                for index, scene in enumerate(film.scenes)
            ]
            waits = [seconds - _time_model(known.photo) for known, (_, seconds) in zip(PEOPLE, added, strict=True)]
            yield {"F2": sum(correct) / len(correct), "F3": mean(waits)}
            # The next round must recognize its people by their own photos.
            for person, _ in added:
                person.delete()


def _upload(owner: Any, path: Path) -> Any:
    from heimdex.storage import get_media_storage
    from videos.actions.uploads import VideoUpload, complete_upload, init_upload

    video, _ = init_upload(owner, VideoUpload(path.name, "video/mp4", path.stat().st_size))
    get_media_storage().save(video.upload_key, path.read_bytes(), "video/mp4")
    return complete_upload(owner, video.pk)


def _read_state(video: Any) -> str:
    video.refresh_from_db(fields=["state"])
    return str(video.state)


def _add_person(owner: Any, name: str, file: Path) -> tuple[Any, float]:
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
    refreshed = QueryEmbedding.objects.filter(person=person, state=QueryEmbedding.State.EMBEDDED)
    seconds = wait_until(refreshed.exists, "the photo does not become READY")
    wait_until(FaceMatch.objects.filter(person=person).exists, "no face is matched")
    return person, seconds


def _search_scenes(owner: Any, person: Any) -> set[int]:
    from videos.search.conditions import SearchFilters
    from videos.search.service import SearchRequest, search

    return {hit.scene.index for hit in search(owner, SearchRequest("", filters=SearchFilters(person_ids=(person.pk,)))).hits}


def _time_model(file: Path) -> float:
    """Return the seconds that the model takes for a photo."""
    from PIL import Image

    from heimdex.backends import backends

    model = backends["faces"]
    image = Image.open(file).convert("RGB")
    model.find_faces([image])
    began = perf_counter()
    model.find_faces([image])
    return perf_counter() - began


GROUP = Group(
    (
        Goal(
            "F2",
            "(person, scene) pairs of the demo film that a search by one photo per person gets right",
            "all pairs",
            1.0,
            unit="share",
        ),
        Goal(
            "F3",
            "from the end of a photo upload until search uses the photo, with idle workers",
            "the model's own time",
            2.0,
            unit="s more",
            at_least=False,
        ),
    ),
    run_rounds,
)
