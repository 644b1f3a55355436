"""The main job in real processes: a user uploads a film over HTTP and finds it, and an admin reprocesses it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from django.conf import settings
from django_q.models import Failure, Success

from demo.client import Client
from demo.film import DemoFilm
from demo.people import PEOPLE, add_person, wait_for_photo
from heimdex.queue import enqueue
from people.queries import find_unnamed_groups
from reprocess.models import ReprocessRun
from tests.acceptance.conftest import PASSWORD, Workers
from tests.library import make_user
from videos.models import Video
from videos.registry import list_stages

Settled = Callable[[str], Video]
Until = Callable[[Callable[[], bool], str], None]


def assert_found_in_exactly_their_scenes(client: Client, shown: Mapping[str, list[float]]) -> None:
    for name, starts in shown.items():
        hits = client.post("/v1/search", {"q": f"@{name}", "join": False})["results"]
        assert sorted(hit["start_s"] for hit in hits) == pytest.approx(starts, abs=0.1)


def upload(client: Client, path: Path) -> str:
    return client.upload(path, "video/mp4", "Film", lambda sent: None)


# Each wait has its own deadline; together they may take longer than an ordinary test on a busy machine.
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("packaged_models", "faces_on")
def test_a_film_becomes_searchable_and_its_embeddings_are_reprocessed(
    workers: Workers,
    owner_client: Client,
    live_server: pytest.FixtureRequest,
    demo_film: DemoFilm,
    wait_for_ingest: Settled,
    wait_until: Until,
) -> None:
    video_id = upload(owner_client, demo_film.path)
    video = wait_for_ingest(video_id)
    assert (video.state, video.error_text) == ("indexed", "")

    status = owner_client.get(f"/v1/videos/{video_id}/status")
    assert (status["state"], status["progress"], status["error"]) == ("indexed", 100, "")
    assert [stage["state"] for stage in status["stages"]] == ["done"] * len(list_stages())
    detail = owner_client.get(f"/v1/videos/{video_id}")
    assert [scene["start_s"] for scene in detail["scenes"]] == pytest.approx([scene.start_s for scene in demo_film.scenes], abs=0.1)

    for query, image, channels in (
        ("a cat", "chelsea.jpg", {"clip"}),
        ("espresso", "coffee.jpg", {"shown_words", "visual", "clip"}),
        ("more respectable than he was", "camera.jpg", {"lexical", "transcript"}),
    ):
        scene = next(scene for scene in demo_film.scenes if scene.image == image)
        best = owner_client.post("/v1/search", {"q": query})["results"][0]
        assert best["start_s"] == pytest.approx(scene.start_s, abs=0.1)
        assert {match["channel"] for match in best["matches"]} >= channels

    # A recurring task groups faces within a minute; this does not wait for it.
    enqueue("people.tasks.group_faces", str(video.owner_id))
    wait_until(Success.objects.filter(func="people.tasks.group_faces").exists, "the groups of faces")
    shown = {person.name: [scene.start_s for scene in demo_film.scenes if scene.image == person.image] for person in PEOPLE}
    # The two shots of the astronaut; false detections are not in her group.
    assert find_unnamed_groups(video.owner_id)[0].scenes == len(shown["Eileen Collins"])  # type: ignore[attr-defined]
    photos = [wait_for_photo(owner_client, person_id) for person_id in [add_person(owner_client, person) for person in PEOPLE]]
    assert [(photo["state"], photo["error_text"]) for photo in photos] == [("ready", "")] * len(PEOPLE)
    assert_found_in_exactly_their_scenes(owner_client, shown)

    make_user("admin@example.org", is_staff=True)
    admin = Client(live_server.url)  # type: ignore[attr-defined]
    admin.log_in("admin@example.org", PASSWORD)
    fresh = admin.post("/v1/admin/reprocess-embeddings/plan", {"scope": "all"})
    assert (fresh["stale"], fresh["model_calls"]) == (0, 0)
    queued = admin.post("/v1/admin/reprocess-embeddings", {"scope": "all", "force": True})
    runs = ReprocessRun.objects.filter(pk=queued["run_id"])
    wait_until(lambda: runs.exclude(state__in=ReprocessRun.OPEN).exists(), "the end of the run")
    run = runs.get()
    assert run.state == ReprocessRun.State.SUCCEEDED
    assert all(counter.planned == counter.done + counter.empty for counter in run.counters.all())
    log = workers.log("reprocess")
    for line in (
        "Using embedding spec version: 2026-01-06",
        "Started reprocessing (spec_version=2026-01-06, scope=all)",
        "Reprocessing completed (spec_version=2026-01-06, scope=all, state=succeeded",
    ):
        assert line in log

    # No library is large enough to be packed by itself.
    enqueue("reprocess.tasks.pack_vectors")
    # The ingest has written all words.
    enqueue("videos.tasks.backfill_missing_words")
    # Neither account has a library.
    source, target = make_user("leaver@example.org"), make_user("heir@example.org")
    enqueue("reprocess.tasks.transfer_library", str(source.pk), str(target.pk), str(target.pk))
    # Every task that can be queued has now been run by a worker, and none has failed.
    for task in settings.QUEUE_TASKS:
        if not task.every_s:
            wait_until(Success.objects.filter(func=task.path).exists, f"the report of {task.path}")
    assert not Failure.objects.exists()
    assert_found_in_exactly_their_scenes(owner_client, shown)
