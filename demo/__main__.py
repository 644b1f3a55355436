"""`make demo`: one real video from upload to search and reprocessing, through the real services."""

import json
import mimetypes
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from demo import show
from demo.accounts import Login, ensure_logins
from demo.client import ApiError, Client
from demo.people import find_people
from demo.second_language import JUDGED, MANAGE, change_model, find_obstacle, run_manage, run_shown
from heimdex.environment import Environment

TITLE = "Heimdex demo film"
SEARCHES = ("a cat", "a cup of coffee", "rocket launch", "leisure to consider", "he was cold and egoistic")
UNKNOWN_TYPE = "application/octet-stream"
STILL_RUNNING = "The services still run. Stop them with: make down"
_PROCESSING = ("validating", "processing")


def main(arguments: list[str]) -> int:
    """Run the demo with the demo film, or with the file that the first argument names. Return the exit code."""
    parser = ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("video", nargs="?", type=Path, help="a video file of yours; without one, a film of free images and recordings")
    own_file: Path | None = parser.parse_args(arguments).video
    if own_file and (problem := find_problem(own_file := own_file.expanduser())):
        show.console.print(problem, style="red", markup=False, soft_wrap=True)
        return 2
    home = Environment.load().home
    try:
        return _run(home, own_file)
    except KeyboardInterrupt:
        show.console.print("\nInterrupted. You can run `make demo` again at any time. `make down` stops the services.", markup=False)
        return 130
    except (ApiError, subprocess.CalledProcessError) as error:
        reason = error.stderr if isinstance(error, subprocess.CalledProcessError) and error.stderr else str(error)
        show.console.print(f"The demo stopped: {reason.strip()}", style="red", markup=False, soft_wrap=True)
        show.console.print(f"The logs are in {home / 'logs'}. {STILL_RUNNING}", markup=False, soft_wrap=True)
        return 1


def find_problem(path: Path) -> str:
    """Return why a file cannot be uploaded, as a sentence, or an empty string. The ingest checks its content."""
    if not path.exists():
        return f"There is no file {path}."
    if not path.is_file():
        return f"{path} is not a file. Choose a video file such as MP4, MOV, MKV or WebM."
    mime_type = _guess_type(path)
    if mime_type.startswith("video/") or mime_type in (UNKNOWN_TYPE, "image/gif"):
        return ""
    return f"{path} is not a video ({mime_type}). Choose a video file such as MP4, MOV, MKV or WebM."


def _run(home: Path, own_file: Path | None) -> int:
    show.print_heading("1. Start the services")
    if subprocess.run([*MANAGE, "up"], check=False).returncode:
        return 1
    url = json.loads(run_manage("status", "--json"))["url"]
    owner, admin = ensure_logins(home, url, MANAGE)
    client, operator = Client(url), Client(url)
    client.log_in(owner.email, owner.password)
    operator.log_in(admin.email, admin.password)

    show.print_heading("2. Upload over HTTP and wait until it is indexed")
    path, title = (own_file, own_file.stem) if own_file else (_ensure_demo_film(home), TITLE)
    _delete_earlier(client, title)
    video_id = _upload(client, path, title)
    if not _wait_until_indexed(client, video_id):
        show.console.print(STILL_RUNNING)
        return 1
    video = client.get(f"/v1/videos/{video_id}")
    show.print_scenes(video)

    show.print_heading("3. Search")
    for query in _suggest_searches(video) if own_file else SEARCHES:
        started = time.perf_counter()
        answer = client.post("/v1/search", {"q": query})
        show.print_search_results(query, answer, 1000 * (time.perf_counter() - started))

    if not own_file:
        show.print_heading("4. Find people by their faces")
        find_people(client)

    show.print_heading(f"{4 if own_file else 5}. Reprocess the embeddings of this account")
    _reprocess(operator, client.get("/v1/auth/me"))

    if not own_file:
        show.print_heading("6. Search in another language, and change the text model")
        if obstacle := find_obstacle(Environment.load()):
            show.console.print(f"  {obstacle}", markup=False, soft_wrap=True)
        else:
            change_model(owner, admin)
            url = json.loads(run_manage("status", "--json"))["url"]
    _show_next_steps(url, home, owner, admin)
    return 0


def _ensure_demo_film(home: Path) -> Path:
    from demo.film import build_demo_film

    path = home / "demo" / "film.mp4"
    if not path.exists():
        show.console.print("  Building the demo film from the free images and recordings in demo/assets (a few seconds) …")
        build_demo_film(path)
    return path


def _suggest_searches(video: dict[str, Any]) -> list[str]:
    """Return five searches that are likely to find something in this video, from its tags and transcript."""
    phrases = [" ".join(scene["transcript"].split()[:5]) for scene in video["scenes"] if scene["transcript"]]
    return [*video["tags"][:3], *phrases[:5], "a person", "outdoors", "a close-up", "music", "a street"][:5]


def _delete_earlier(client: Client, title: str) -> None:
    """Delete the videos that an earlier demo uploaded under this title, so that every demo shows the same."""
    for video in client.get("/v1/videos?page_size=200")["results"]:
        if video["title"] == title:
            client.delete(f"/v1/videos/{video['id']}")


def _upload(client: Client, path: Path, title: str) -> str:
    with _open_progress() as bar:
        task = bar.add_task(f"  upload {path.name}", total=path.stat().st_size)
        return client.upload(path, _guess_type(path), title, lambda n: bar.advance(task, n))


def _wait_until_indexed(client: Client, video_id: str) -> bool:
    with _open_progress() as bar:
        task = bar.add_task("  ingest", total=100)
        while (status := client.get(f"/v1/videos/{video_id}/status"))["state"] in _PROCESSING:
            bar.update(task, completed=status["progress"], description=f"  ingest: {status['stage']}")
            time.sleep(0.3)
        bar.update(task, completed=status["progress"], description=f"  {status['state']}")
    if status["state"] != "indexed":
        show.console.print(f"The video was not indexed: {status['error']}", style="red", markup=False)
    return bool(status["state"] == "indexed")


def _reprocess(operator: Client, account: dict[str, Any]) -> None:
    """Reprocess the library of the demo's account only: other people's libraries may be large."""
    plan_path = "/v1/admin/reprocess-embeddings/plan"
    scope = {"scope": "owner", "owner_id": account["id"]}
    show.print_plan("Plan after the upload", operator.post(plan_path, scope))
    show.print_plan("Plan to recompute everything (force)", operator.post(plan_path, {**scope, "force": True}))
    for options in (["--force", "--wait"], ["--wait"]):
        command = ["reprocess_embeddings", "--scope", "owner", "--owner-id", account["email"], *options]
        run_shown(*command)
    show.print_plan("Plan afterwards", operator.post(plan_path, scope))


def _show_next_steps(url: str, home: Path, owner: Login, admin: Login) -> None:
    show.print_heading("Next steps")
    rows: list[tuple[str, Any]] = [
        ("Heimdex", f"{url}/  as {owner.email}, password {owner.password}"),
        ("Admin", f"{url}/admin/  as {admin.email}, password {admin.password}"),
        ("API", f"{url}/v1/docs/"),
        ("Data and logs", home),
        ("Your own video", "make demo VIDEO=path/to/video.mp4"),
        ("Measure search", f".venv/bin/python manage.py evaluate demo/{JUDGED.name} --owner {owner.email}"),
        ("Stop everything", "make down"),
    ]
    for label, value in rows:
        show.console.print(f"  {label:<16} {value}", markup=False, soft_wrap=True)


def _guess_type(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or UNKNOWN_TYPE


def _open_progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn(), console=show.console
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
