"""A library embedded by one model, and another model to change to."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.library import make_user, make_video
from tests.reprocess.cutover.synonyms import JUDGED
from videos.models import ActiveSpace, Scene
from videos.search.service import SearchRequest, search

QUERIES = ("a ship on the ocean", "vegetables", "trains and money")

# The scenes of an answer, each with its matches: channel, rank, and score to five digits.
Answer = list[tuple[str, tuple[tuple[str, int, float], ...]]]


def run_queries(owner: User) -> list[Answer]:
    """Return the owner's results for the fixed queries."""
    answers = [search(owner, SearchRequest(text)) for text in QUERIES]
    return [
        [(str(hit.scene.pk), tuple((match.channel, match.rank, round(match.score, 5)) for match in hit.matches)) for hit in answer.hits]
        for answer in answers
    ]


def find_matching_channels(owner: User, scene: Scene) -> set[str]:
    """Return the channels that match a scene when its own words are the query."""
    hits = search(owner, SearchRequest(scene.transcript)).hits
    return {match.channel for hit in hits if hit.scene == scene for match in hit.matches}


def run(scope: Scope | None = None, *, automatic_cutover: bool = True) -> ReprocessRun:
    """Start a run, by default over everything, and work on it until it ends."""
    started = start_run(scope or Scope("all"), force=False, entry_point="command", requested_by=None, automatic_cutover=automatic_cutover)
    run_worker(started.pk)
    started.refresh_from_db()
    return started


def get_active_spaces(owner: User) -> dict[str, str]:
    """Return the owner's active spaces by channel."""
    return {channel: str(space) for channel, space in ActiveSpace.objects.filter(owner=owner).values_list("channel", "space_id")}


@pytest.fixture
def owner(db: None) -> User:
    """Return an owner of two videos, embedded by the configured model."""
    owner = make_user()
    make_video(owner)
    make_video(owner, ["Sailors repair the nets in the port.", "The minister of transport resigned."], title="Another")
    run()
    return owner


@pytest.fixture
def change_model(settings: Settings) -> Callable[[str], None]:
    """Return a function that configures another text model: the same, with a prefix before each document."""

    def change(prefix: str = "passage: ") -> None:
        text = settings.MODEL_BACKENDS["text"]
        options = {name: value for name, value in text["OPTIONS"].items() if name != "document_prefix"}
        if prefix:
            options["document_prefix"] = prefix
        settings.MODEL_BACKENDS = {**settings.MODEL_BACKENDS, "text": {**text, "OPTIONS": options}}

    return change


@pytest.fixture
def judgments(tmp_path: Path) -> Path:
    path = tmp_path / "judged.jsonl"
    path.write_text("".join(json.dumps({"query": query, "relevant": {scene: 2}}) + "\n" for query, scene in JUDGED.items()))
    return path


@pytest.fixture
def learn_synonyms(settings: Settings) -> None:
    settings.MODEL_BACKENDS = {
        **settings.MODEL_BACKENDS,
        "text": {"BACKEND": "tests.reprocess.cutover.synonyms.SynonymEmbedder", "OPTIONS": {"similarity_floor": 0.1}},
    }
