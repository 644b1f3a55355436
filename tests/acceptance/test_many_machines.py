"""Many machines: work continues during a Redis outage and after a machine is lost, and the remaining machines share it."""

from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from demo.client import Client
from demo.film import DemoFilm
from tests.acceptance.fleet import Fleet, run_fleet

PASSWORD = "correct horse battery"
OWNER = "owner@example.org"
# Four processes load models at the same time, which takes a minute on a busy machine.
pytestmark = [pytest.mark.timeout(600), pytest.mark.integration]

MAKE_LIBRARY = f"""
import django
django.setup()
from heimdex.accounts.models import User
from tests.library import make_video
owner = User.objects.get(email={OWNER!r})
make_video(owner, [f"{{place}} some words about a subject." for place in range(12)])
"""


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with run_fleet(tmp_path_factory.mktemp("fleet")) as machines_running:
        yield machines_running


@pytest.fixture(scope="module")
def owner(machines: Fleet) -> Client:
    client = Client(machines.url)
    client.post("/v1/auth/register", {"email": OWNER, "password": PASSWORD, "name": "Owner"})
    client.log_in(OWNER, PASSWORD)
    return client


def test_an_upload_is_indexed_despite_a_redis_outage_and_a_lost_machine(machines: Fleet, owner: Client, demo_film: DemoFilm) -> None:
    machines.valkey.stop()
    video_id = owner.upload(demo_film.path, "video/mp4", "Film", lambda sent: None)
    status = owner.get(f"/v1/videos/{video_id}/status")
    assert (status["state"], status["error"]) == ("validating", "")
    machines.valkey.start()

    def get_stage() -> str:
        return str(owner.get(f"/v1/videos/{video_id}/status")["stage"])

    machines.wait_until(lambda: get_stage() in ("scenes", "transcript", "on_screen", "description"), "the work on the upload")
    machines.kill("uploads")
    machines.start_worker("uploads", "uploads")
    machines.wait_until(lambda: owner.get(f"/v1/videos/{video_id}/status")["state"] in ("indexed", "failed"), "the end of the ingest")
    video = owner.get(f"/v1/videos/{video_id}")
    assert (video["state"], len(video["scenes"])) == ("indexed", len(demo_film.scenes))

    best = owner.post("/v1/search", {"q": "more respectable than he was"})["results"][0]
    expected = next(scene for scene in demo_film.scenes if scene.image == "camera.jpg")
    assert best["start_s"] == pytest.approx(expected.start_s, abs=0.1)
    with urlopen(best["thumbnail_url"]) as thumbnail:
        assert thumbnail.read(2) == b"\xff\xd8"


def test_a_run_finishes_after_its_machine_is_lost(machines: Fleet, owner: Client) -> None:
    machines.run_python("-c", MAKE_LIBRARY)
    run_id = machines.run_command("reprocess_embeddings", "--scope", "all")["run_id"]

    def list_running() -> list[str]:
        return [name for name in ("runs-1", "runs-2") if "Started reprocessing" in machines.log(name)]

    machines.wait_until(lambda: bool(list_running()), "the start of the run")
    (lost,) = list_running()
    machines.kill(lost)
    left = "runs-2" if lost == "runs-1" else "runs-1"
    machines.wait_until(lambda: "Reprocessing completed" in machines.log(left), "the end of the run")
    ended = machines.run_command("reprocess_runs", "show", run_id)
    assert (ended["state"], ended["error"], ended["failures"]) == ("succeeded", "", 0)
    assert all(counter["planned"] == counter["done"] + counter["skipped"] + counter["empty"] for counter in ended["counters"])
    assert machines.run_command("reprocess_embeddings", "--scope", "all", "--dry-run")["stale"] == 0
