"""The many-machine form: work goes on when Redis is away, when a machine with workers is lost, and is shared by those that are left."""

from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from demo.client import Client
from demo.film import DemoFilm
from tests.acceptance.fleet import Fleet, fleet

PASSWORD = "correct horse battery"
OWNER = "owner@example.org"
# Four processes load models at once; on a busy machine that alone takes a minute.
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
    with fleet(tmp_path_factory.mktemp("fleet")) as running:
        yield running


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

    def stage() -> str:
        return str(owner.get(f"/v1/videos/{video_id}/status")["stage"])

    machines.until(lambda: stage() in ("scenes", "transcript", "on_screen", "description"), "the work on the upload")
    machines.kill("uploads")
    machines.start_worker("uploads", "uploads")
    machines.until(lambda: owner.get(f"/v1/videos/{video_id}/status")["state"] in ("indexed", "failed"), "the end of the ingest")
    video = owner.get(f"/v1/videos/{video_id}")
    assert (video["state"], len(video["scenes"])) == ("indexed", len(demo_film.scenes))

    found = owner.post("/v1/search", {"q": "more respectable than he was"})["results"][0]
    expected = next(scene for scene in demo_film.scenes if scene.image == "camera.jpg")
    assert found["start_s"] == pytest.approx(expected.start_s, abs=0.1)
    with urlopen(found["thumbnail_url"]) as thumbnail:
        assert thumbnail.read(2) == b"\xff\xd8"


def test_a_run_finishes_after_its_machine_is_lost(machines: Fleet, owner: Client) -> None:
    machines.python("-c", MAKE_LIBRARY)
    run_id = machines.manage("reprocess_embeddings", "--scope", "all")["run_id"]

    def at_work() -> list[str]:
        return [name for name in ("runs-1", "runs-2") if "Started reprocessing" in machines.log(name)]

    machines.until(lambda: bool(at_work()), "the start of the run")
    (lost,) = at_work()
    machines.kill(lost)
    left = "runs-2" if lost == "runs-1" else "runs-1"
    machines.until(lambda: "Reprocessing completed" in machines.log(left), "the end of the run")
    ended = machines.manage("reprocess_runs", "show", run_id)
    assert (ended["state"], ended["error"], ended["failures"]) == ("succeeded", "", 0)
    assert all(counter["planned"] == counter["done"] + counter["skipped"] + counter["empty"] for counter in ended["counters"])
    assert machines.manage("reprocess_embeddings", "--scope", "all", "--dry-run")["stale"] == 0
