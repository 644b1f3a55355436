"""SIGKILL at every stage of processing photos of people, in runs and after uploads: each photo is processed and counts once."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from heimdex.accounts.models import User
from heimdex.leases import WAKE_AGAIN_AFTER
from heimdex.queue import REPROCESS, UPLOADS
from heimdex.storage import get_media_storage
from people.models import FaceMatch, Person, PersonPhoto, PhotoEmbedding, QueryEmbedding
from people.refresh import request_refresh
from reprocess.models import ReprocessItem, RunCounter
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from tests.acceptance.conftest import Workers
from tests.acceptance.crashes.conftest import QUEUES
from tests.acceptance.crashes.faces import build_question_prefix, make_portrait
from tests.acceptance.crashes.library import SECOND, configure_models, embed_directly
from tests.acceptance.crashes.models import BATCH, CountingServer
from tests.acceptance.crashes.outcome import expire_leases, have_all_ended, list_lease_tokens
from tests.acceptance.crashes.people import PHOTOS, assert_people_complete, find_appearances, make_film_of, make_people, make_photo
from tests.acceptance.crashes.stages import Stage, stop_workers
from tests.acceptance.crashes.victims import VICTIMS, count_further_crashes
from tests.library import get_stored_hash
from videos.models import ActiveSpace

Until = Callable[[Callable[[], bool], str], None]
ServeFaces = Callable[[str], Workers]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]

each_victim = pytest.mark.parametrize(
    "victim", [victim if victim == "worker" else pytest.param(victim, marks=pytest.mark.crash) for victim in VICTIMS]
)
each_queue = pytest.mark.parametrize("redis_url", QUEUES, indirect=True)

RUN_STAGES = (
    Stage(
        "acquired",
        ReprocessItem,
        "AFTER UPDATE",
        "NEW.state = 'running' AND NEW.video_id IS NULL AND NEW.run_id = '{run}'",
        0,
        repeats=False,
    ),
    Stage("detected", None, "", "", BATCH, repeats=True),
    Stage("computed", PhotoEmbedding, "BEFORE INSERT", "NEW.run_id = '{run}'", BATCH, repeats=True),
    Stage("written", PhotoEmbedding, "AFTER INSERT", "NEW.run_id = '{run}'", BATCH, repeats=True),
    Stage("averaged", QueryEmbedding, "AFTER INSERT", "NEW.run_id = '{run}'", PHOTOS, repeats=False),
    Stage("matched", FaceMatch, "AFTER INSERT", "NEW.owner_id = '{owner}'", PHOTOS, repeats=False),
    Stage("counted", RunCounter, "AFTER UPDATE", "NEW.channel = 'person_photo' AND NEW.run_id = '{run}'", PHOTOS, repeats=False),
    Stage("during-cutover", ActiveSpace, "AFTER INSERT", "NEW.owner_id = '{owner}'", PHOTOS, repeats=False),
)

UPLOAD_STAGES = (
    Stage("acquired", PersonPhoto, "AFTER UPDATE", "NEW.attempts > OLD.attempts AND NEW.owner_id = '{owner}'", 0, repeats=False),
    # The normalized copy is stored and recorded, and the upload still exists.
    Stage(
        "normalized",
        PersonPhoto,
        "AFTER UPDATE",
        "NEW.image_hash != OLD.image_hash AND NEW.owner_id = '{owner}'",
        0,
        repeats=False,
        at_commit=True,
    ),
    Stage("detected", None, "", "", 0, repeats=True),
    Stage("computed", PhotoEmbedding, "BEFORE INSERT", "NEW.owner_id = '{owner}'", 0, repeats=True),
    Stage("written", PhotoEmbedding, "AFTER INSERT", "NEW.owner_id = '{owner}'", 0, repeats=True),
    # People without photos are not matched.
    Stage("averaged", QueryEmbedding, "BEFORE INSERT", "NEW.state = 'embedded' AND NEW.owner_id = '{owner}'", 0, repeats=False),
    Stage("matched", FaceMatch, "BEFORE INSERT", "NEW.owner_id = '{owner}'", 0, repeats=False),
)


@each_victim
@each_queue
def test_a_run_over_people_survives_a_kill_at_any_stage(
    victim: str, serve_faces: ServeFaces, embeddings: CountingServer, settings: Settings, wait_until: Until
) -> None:
    workers = serve_faces(REPROCESS)
    owners = {stage: make_people(settings, embeddings, number, stage.name) for number, stage in enumerate(RUN_STAGES)}
    embeddings.requests.clear()
    runs = {}
    with stop_workers(embeddings) as stopper:
        with transaction.atomic():
            for number, (stage, owner) in enumerate(owners.items()):
                runs[stage] = start_run(Scope("owner", owner_id=owner.pk), force=False, entry_point="command", requested_by=None)
                stopper.install(stage, owner.pk, build_question_prefix(number), runs[stage])
        wait_until(lambda: stopper.count_stopped() == len(RUN_STAGES), "the arrival of a worker at each stage")
        stopped = stopper.find_stopped(workers.get_pid(REPROCESS))
        assert len(stopped) == len(RUN_STAGES)
        leases = list_lease_tokens()
        VICTIMS[victim](workers, REPROCESS, stopped)
    expire_leases(leases)
    wait_until(lambda: have_all_ended(workers), "the end of all runs")

    further = count_further_crashes(victim, workers.restarts)
    for number, (stage, owner) in enumerate(owners.items()):
        assert_people_complete(runs[stage], owner)
        sent = embeddings.count_documents(SECOND, build_question_prefix(number))
        assert len(sent) == PHOTOS
        repeated = sum(sent.values()) - PHOTOS
        assert stage.repeats <= repeated <= BATCH * (stage.repeats + further), (stage.name, sent)
        # The scenes had been embedded before.
        assert not embeddings.count_documents(SECOND, build_question_prefix(number, "scene")), stage.name


@each_victim
@each_queue
def test_a_photo_survives_a_kill_at_any_stage(
    victim: str, serve_faces: ServeFaces, embeddings: CountingServer, settings: Settings, wait_until: Until
) -> None:
    workers = serve_faces(UPLOADS)
    configure_models(settings, embeddings, SECOND, SECOND)
    people = {}
    for number, stage in enumerate(UPLOAD_STAGES):
        owner = User.objects.create_user(f"{stage.name}@example.org", None)
        embed_directly([make_film_of(owner, number, stage.name)])
        people[stage] = Person.objects.create(owner=owner, name=stage.name)
    embeddings.requests.clear()
    with stop_workers(embeddings) as stopper:
        with transaction.atomic():
            for number, (stage, person) in enumerate(people.items()):
                photo = make_photo(person, PersonPhoto.State.UPLOADED)
                get_media_storage().save(photo.original_key, make_portrait(number, 1, 0), "image/jpeg")
                stopper.install(stage, person.owner_id, build_question_prefix(number))
                request_refresh(person.owner_id)
        wait_until(lambda: stopper.count_stopped() == len(UPLOAD_STAGES), "the arrival of a worker at each stage")
        stopped = stopper.find_stopped(workers.get_pid(UPLOADS))
        assert len(stopped) == len(UPLOAD_STAGES)
        leases = list_lease_tokens()
        VICTIMS[victim](workers, UPLOADS, stopped)
    expire_leases(leases)
    # The wake-up of a photo without a lease may be lost with its worker; it is sent again after this time.
    PersonPhoto.objects.filter(state=PersonPhoto.State.UPLOADED).update(woken_at=timezone.now() - 2 * WAKE_AGAIN_AFTER)
    wait_until(lambda: _are_all_found(workers), "the end of all photos")

    further = count_further_crashes(victim, workers.restarts)
    for number, (stage, person) in enumerate(people.items()):
        photo = person.photos.get()
        assert (photo.state, photo.error_text, photo.lease_token) == (PersonPhoto.State.READY, "", None), stage.name
        assert set(get_media_storage().list_keys(photo.storage_prefix)) == {photo.image_key, photo.thumbnail_key}, stage.name
        person.refresh_from_db()
        assert PhotoEmbedding.objects.get(photo=photo).input_hash == photo.image_hash, stage.name
        assert QueryEmbedding.objects.get(person=person).input_hash == get_stored_hash(person, "person_query") != "", stage.name
        assert find_appearances(person.owner) == {person.pk: [1]}, stage.name
        sent = embeddings.count_documents(SECOND, build_question_prefix(number))
        assert len(sent) == 1, stage.name
        assert 1 + stage.repeats <= sum(sent.values()) <= 1 + stage.repeats + further, stage.name


def _are_all_found(workers: Workers) -> bool:
    workers.restart_dead()
    moving = PersonPhoto.objects.filter(state__in=PersonPhoto.IN_PROGRESS)
    return not moving.exists() and FaceMatch.objects.count() == len(UPLOAD_STAGES)
