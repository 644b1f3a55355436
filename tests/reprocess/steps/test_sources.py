"""Every source that a channel may declare has writers, and each writer refreshes the input hashes of the channels that read it."""

from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from heimdex.storage import get_media_storage
from people import channels as people_channels
from people import input_hashes as people_hashes
from people.actions.persons import edit_person, merge_people
from people.actions.photos import delete_photo
from people.channels import PHOTO, READY_PHOTOS
from people.errors import PhotoErrorCode
from people.models import Person, PersonInput, PersonPhoto, PhotoInput
from people.photos.normalize import normalize_photo
from people.photos.state import fail_photo
from reprocess.actions.faces import turn_faces_off, turn_faces_on
from reprocess.steps import list_steps
from tests.library import get_lease, make_user, make_video
from tests.people.conftest import make_jpeg, make_photo
from tests.people.photos.test_normalize import acquire
from videos import channels, input_hashes
from videos.actions.transcripts import edit_transcript
from videos.actions.videos import edit_video
from videos.channels import (
    CHAPTERS,
    FIND_FACES,
    KEYFRAME,
    KEYFRAMES,
    ON_SCREEN_TEXT,
    SUMMARY,
    TITLE,
    TRANSCRIPT,
    VIDEO_DESCRIPTION,
    VISUAL_TEXT,
    Channel,
    Source,
)
from videos.embedding_texts import hash_input
from videos.ingest.pipeline import ingest
from videos.ingest.schedule import start_ingest
from videos.input_hashes import SceneContent, load_hashes, refresh_input_hashes
from videos.models import Scene, SceneInput, Video
from videos.registry import list_stages, override_stages
from videos.summaries import extract_summary

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("faces_on")]

PROBE = "probe"
# The ingest stage that hashes inputs, and those that write sources.
HASHING_STAGE = "summary"
WRITING_STAGES = ("scenes", "transcript", "on_screen", "description")


def ingest_again(video: Video) -> None:
    """Change what the ingest stages write, then run those behind them."""
    Scene.objects.filter(video=video).update(
        transcript="Other words.", visual_text="A door.", on_screen_text="EXIT", keyframe_hash="a" * 64, pictures_hash="b" * 64
    )
    Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING)
    stages = {stage.name: stage for stage in list_stages()}
    with override_stages([stages[HASHING_STAGE], stages["index"]]):
        start_ingest(video)
        ingest(video.pk)
    assert Video.objects.get(pk=video.pk).state == Video.State.INDEXED


def edit_speech(video: Video) -> None:
    edit_transcript(video.owner, video.pk, video.scenes.get(index=0).pk, "A whale swam past the lighthouse at dawn.")


def edit_details(video: Video) -> None:
    edit_video(video, title="Another film", description="What it is about.")


def edit_in_api(video: Video) -> None:
    client = APIClient()
    client.force_authenticate(video.owner)
    response = client.patch(f"/v1/videos/{video.pk}", {"title": "Another film", "description": "What it is about."}, format="json")
    assert response.status_code == 200


def edit_in_admin(video: Video) -> None:
    client = Client()
    client.force_login(make_user("admin@example.org", is_staff=True, is_superuser=True))
    inlines = {f"{name}-{kind}_FORMS": 0 for name in ("jobs", "scenes") for kind in ("TOTAL", "INITIAL")}
    fields = {"title": "Another film", "description": "What it is about.", **inlines}
    response = client.post(f"/admin/videos/video/{video.pk}/change/", fields)
    assert response.status_code == 302, response.content.decode()


def switch_faces_off(video: Video) -> None:
    turn_faces_off(video.owner_id)


def switch_faces_off_and_on(video: Video) -> None:
    turn_faces_off(video.owner_id)
    turn_faces_on(video.owner, entry_point="owner", requested_by=video.owner)


def replace_photo(photo: PersonPhoto) -> None:
    leased = acquire(photo)
    get_media_storage().save(photo.original_key, make_jpeg(seed=99), "image/jpeg")
    normalize_photo(leased, get_lease(leased))


def archive_person(photo: PersonPhoto) -> None:
    edit_person(photo.owner, photo.person_id, archived=True)


def merge_person(photo: PersonPhoto) -> None:
    other = make_photo(Person.objects.create(owner=photo.owner, name="Countess"))
    merge_people(photo.owner, photo.person_id, other.person_id)


def remove_photo(photo: PersonPhoto) -> None:
    delete_photo(photo.owner, photo.person_id, photo.pk)


def reject_photo(photo: PersonPhoto) -> None:
    with transaction.atomic():
        fail_photo(photo.pk, PhotoErrorCode.NO_FACE, "No face.")


SCENE_WRITERS: dict[Source, tuple[Callable[[Video], None], ...]] = {
    TRANSCRIPT: (ingest_again, edit_speech),
    SUMMARY: (ingest_again, edit_speech),
    CHAPTERS: (ingest_again, edit_speech),
    VISUAL_TEXT: (ingest_again,),
    ON_SCREEN_TEXT: (ingest_again,),
    KEYFRAME: (ingest_again,),
    KEYFRAMES: (ingest_again,),
    TITLE: (edit_details, edit_in_api, edit_in_admin),
    VIDEO_DESCRIPTION: (edit_details, edit_in_api, edit_in_admin),
    FIND_FACES: (switch_faces_off, switch_faces_off_and_on),
}
PEOPLE_WRITERS: dict[Source, tuple[Callable[[PersonPhoto], None], ...]] = {
    PHOTO: (replace_photo,),
    READY_PHOTOS: (archive_person, merge_person, remove_photo, reject_photo),
}


class SceneProbe:
    """A composer whose input is the value of one source, as text."""

    channels = (PROBE,)

    def __init__(self, source: Source) -> None:
        self._get_value = attrgetter(source.field.replace("__", "."))

    def compose_inputs(self, video_id: UUID) -> Iterator[tuple[Scene, Mapping[str, SceneContent]]]:
        for scene in Scene.objects.filter(video=video_id).select_related("video", "owner").order_by("index"):
            value = self._get_value(scene)
            text = "" if value is False else str(value)
            yield scene, {PROBE: SceneContent(hash_input(text), text)}


class PhotoProbe:
    """A hasher of the photos' images."""

    channel = PROBE

    def compute_hashes(self, targets: QuerySet[PersonPhoto]) -> Mapping[UUID, str]:
        return {photo.pk: photo.image_hash for photo in targets}


class PersonProbe:
    """A hasher of people's READY photos."""

    channel = PROBE

    def compute_hashes(self, targets: QuerySet[Person]) -> Mapping[UUID, str]:
        ready = {person.pk: person.photos.filter(state=PersonPhoto.State.READY).count() for person in targets}
        return {person.pk: hash_input(f"{ready[person.pk]} {person.is_archived}") for person in targets}


@pytest.fixture(autouse=True)
def _registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the probes after the test."""
    monkeypatch.setattr(channels, "_channels", dict(channels._channels))
    monkeypatch.setattr(input_hashes, "_composers", dict(input_hashes._composers))
    monkeypatch.setattr(people_hashes, "_photo_hashers", dict(people_hashes._photo_hashers))
    monkeypatch.setattr(people_hashes, "_person_hashers", dict(people_hashes._person_hashers))


@pytest.fixture
def video() -> Video:
    """Return a video whose summary and chapters are derived from its transcript, except that the chapters are outdated."""
    video = make_video(make_user())
    video.summary, video.chapters = extract_summary(list(video.scenes.order_by("index"))), [{"title": "Old", "start_s": 0}]
    video.save()
    refresh_input_hashes(video)
    return video


def register_probe(source: Source) -> SceneProbe:
    probe = SceneProbe(source)
    channels.register_channels([Channel(PROBE, (source,))])
    input_hashes.register_composer(probe)
    return probe


def load_scene_hashes(video: Video) -> dict[Any, str]:
    return load_hashes(SceneInput, [PROBE], scene__video=video)


def list_cases(writers: Mapping[Source, tuple[Callable[..., None], ...]]) -> list[Any]:
    return [
        pytest.param(source, writer, id=f"{source.field or 'ready_photos'}-{writer.__name__}")
        for source, functions in writers.items()
        for writer in functions
    ]


def test_every_source_has_a_writer_that_these_tests_call() -> None:
    constants = {value for module in (channels, people_channels) for value in vars(module).values() if isinstance(value, Source)}
    declared = {source for step in list_steps() for channel in step.fills for source in channel.sources}
    assert declared <= constants
    assert constants == SCENE_WRITERS.keys() | PEOPLE_WRITERS.keys()
    assert all((SCENE_WRITERS | PEOPLE_WRITERS).values())


def test_every_ingest_stage_that_writes_a_source_runs_before_the_hashes_are_computed() -> None:
    names = [stage.name for stage in list_stages()]
    assert max(names.index(name) for name in WRITING_STAGES) < names.index(HASHING_STAGE) < names.index("embed")


@pytest.mark.parametrize(("source", "writer"), list_cases(SCENE_WRITERS))
def test_a_writer_of_a_scene_source_refreshes_the_channels_that_read_it(
    source: Source, writer: Callable[[Video], None], video: Video
) -> None:
    probe = register_probe(source)
    refresh_input_hashes(video, source)
    before = load_scene_hashes(video)
    assert len(before) == 4

    writer(video)

    after = load_scene_hashes(video)
    current = {(scene.pk, PROBE): contents[PROBE].hash for scene, contents in probe.compose_inputs(video.pk)}
    assert after != before
    # A scene without a stored hash is stale too: the run composes its input again.
    assert after == {key: current[key] for key in after}


@pytest.mark.parametrize(("source", "writer"), list_cases(PEOPLE_WRITERS))
def test_a_writer_of_a_people_source_refreshes_the_channels_that_read_it(source: Source, writer: Callable[[PersonPhoto], None]) -> None:
    people_hashes.register_photo_hasher(PhotoProbe())
    people_hashes.register_person_hasher(PersonProbe())
    photo = make_photo(Person.objects.create(owner=make_user(), name="Ada"))

    def load() -> dict[Any, str]:
        return load_hashes(PhotoInput if source == PHOTO else PersonInput, [PROBE])

    before = load()
    assert len(before) == 1

    writer(photo)

    current = (
        PhotoProbe().compute_hashes(PersonPhoto.objects.all()) if source == PHOTO else PersonProbe().compute_hashes(Person.objects.all())
    )
    assert load() != before
    assert load() == {(target_id, PROBE): value for target_id, value in current.items()}


def test_an_edit_of_the_title_costs_nothing_until_a_channel_reads_it(video: Video) -> None:
    def edit(title: str) -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            edit_video(video, title=title)
        # The words of the title are written in any case, under a lock of their own.
        locks = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"] and "text_hash" not in query["sql"]]
        return locks + [query["sql"] for query in queries if "sceneinput" in query["sql"]]

    assert edit("Another film") == []
    register_probe(TITLE)
    assert edit("A third film")
