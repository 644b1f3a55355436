"""The part of the demo about languages: a query in another language, and a change of the text model, judged before search switches."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo import show
from demo.accounts import Login
from demo.client import Client
from heimdex.environment import Environment

# Queries with the scenes of the demo film that they should find, for `manage.py evaluate` and `manage.py cutover`.
JUDGED = Path(__file__).with_name("judged.jsonl")
MANAGE = [sys.executable, str(Path(__file__).resolve().parent.parent / "manage.py")]
# Spanish for "a cold and selfish man", who is mentioned in the film, in English.
QUERY = "un hombre frío y egoísta"
PROFILE = "packaged-multilingual"
CHANGED = {"HEIMDEX_PROFILE": PROFILE}


def find_obstacle(environment: Environment) -> str:
    """Return why the text model is not changed in this installation, as a sentence, or an empty string."""
    if environment.profile != "packaged" or "text" in environment.models:
        return "This installation has other models than the packaged ones, so the change of the text model is left out."
    return ""


def change_model(owner: Login, admin: Login) -> None:
    """Search in Spanish, change to the multilingual models, judge the change, switch, roll back, and restart with the models of before."""
    _search("With the English text model", owner)
    try:
        _restart(CHANGED, f"Restart with HEIMDEX_PROFILE={PROFILE}; search still reads the vectors of the English model.")
        operator = Client(_get_url())
        operator.log_in(admin.email, admin.password)
        account = _log_in(owner).get("/v1/auth/me")
        plan = operator.post("/v1/admin/reprocess-embeddings/plan", {"scope": "owner", "owner_id": account["id"]})
        show.print_plan("Plan", plan)
        scope = ["--scope", "owner", "--owner-id", owner.email]
        run_shown("reprocess_embeddings", *scope, "--no-cutover", "--wait", variables=CHANGED)
        run_shown("cutover", "--owner", owner.email, "--judgments", f"demo/{JUDGED.name}", "--dry-run", variables=CHANGED)
        run_shown("cutover", "--owner", owner.email, variables=CHANGED)
        _search("With the multilingual text model", owner)
        run_shown("rollback", "--owner", owner.email, variables=CHANGED)
    finally:
        _restart({}, "Restart with the models of before. The new vectors are kept, so that the next change computes nothing.")


def run_manage(*arguments: str, variables: Mapping[str, str] | None = None) -> str:
    """Run a command of manage.py with more environment variables, and return its output. Raise CalledProcessError when it fails."""
    command = [*MANAGE, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **(variables or {})}).stdout


def run_shown(*arguments: str, variables: Mapping[str, str] | None = None) -> None:
    """Print a command of manage.py, run it, and print its output."""
    show.console.print(f"  $ manage.py {' '.join(arguments)}", markup=False, soft_wrap=True)
    for line in run_manage(*arguments, variables=variables).splitlines():
        show.console.print(f"    {line}", markup=False, soft_wrap=True)


def _restart(variables: Mapping[str, str], text: str) -> None:
    show.console.print(f"  {text}", markup=False, soft_wrap=True)
    run_manage("down")
    run_manage("up", variables=variables)


def _search(title: str, owner: Login) -> None:
    client = _log_in(owner)
    started = time.perf_counter()
    answer = client.post("/v1/search", {"q": QUERY})
    show.console.print(f"  {title}:")
    show.print_search_results(QUERY, answer, 1000 * (time.perf_counter() - started))


def _log_in(login: Login) -> Client:
    client = Client(_get_url())
    client.log_in(login.email, login.password)
    return client


def _get_url() -> str:
    status: dict[str, Any] = json.loads(run_manage("status", "--json"))
    return str(status["url"])
