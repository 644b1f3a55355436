"""L6: an outage of OpenSearch while words are written: what is lost, what is stale afterwards, and whether searches are answered meanwhile.

The server is the one that the tests resolve with Maven. BENCH_OUTAGE_S (seconds) shortens the outage for a try; the
result says how long it was.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING
from uuid import UUID

from bench.benchmark import BenchmarkUnavailable, Figure, Goal, Group, Part, Round, compute_smallest_margin
from bench.installation import empty_database
from bench.ranking_quality import MARGIN

if TYPE_CHECKING:
    from heimdex.accounts.models import User
    from tests.opensearch.server import OpenSearchServer
    from videos.search.lexical.opensearch.backend import OpenSearchLexical

_OUTAGE_S = "BENCH_OUTAGE_S"
GOAL_S = 600.0
VIDEOS, SCENES = 40, 25
# The longest wait for an answer: the time-out of one request, and the search in the database.
MAX_ANSWER_S = 5.0
EVERY_S = 0.5
CATCH_UP_S = 300.0


def run_rounds() -> Iterator[Round]:
    """Yield the smallest margin of one outage. Raise BenchmarkUnavailable where no OpenSearch can run."""
    outage_s = float(os.environ.get(_OUTAGE_S) or GOAL_S)
    empty_database()
    with _start_server() as server, _use_server(server) as backend:
        yield {"L6": _measure(server, backend, outage_s)}


@contextmanager
def _start_server() -> "Iterator[OpenSearchServer]":
    from tests.opensearch.server import DEFAULT, RELEASES, OpenSearchMissing, OpenSearchServer

    with tempfile.TemporaryDirectory(prefix="heimdex-bench-opensearch-") as home:
        server = OpenSearchServer(RELEASES[DEFAULT], Path(home) / "server")
        try:
            server.start()
        except OpenSearchMissing as error:
            raise BenchmarkUnavailable(f"OpenSearch cannot run here: {error}") from error
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def _use_server(server: "OpenSearchServer") -> "Iterator[OpenSearchLexical]":
    from django.test import override_settings

    from tests.opensearch.backends import configure
    from videos.search.lexical.search_index import find_search_index

    with override_settings(LEXICAL_BACKENDS=configure(server.url)):
        backend = find_search_index()
        assert backend
        yield backend


def _measure(server: "OpenSearchServer", backend: "OpenSearchLexical", outage_s: float) -> Figure:
    """Write and search during an outage, as owners do, and compare index and database when the server is back."""
    from tests.library import make_user
    from videos.models import SearchChange

    owner = make_user()
    videos = _write_videos(owner, range(VIDEOS))
    backend.rebuild.run()
    backend.drain.run()
    with server.stopped():
        began, writes, unanswered, slowest_s, silent = monotonic(), 0, 0, 0.0, 0
        for number in count():
            if monotonic() - began >= outage_s:
                break
            words = f"marker{number}"
            _edit(owner, videos[number % VIDEOS], words)
            if number % 5 == 0:
                _write_videos(owner, [VIDEOS + number])
            writes += 1
            searched = monotonic()
            matches, notices = _search(backend, owner, words)
            slowest_s = max(slowest_s, monotonic() - searched)
            # What was committed is found, and the answer says that it comes from the database.
            unanswered += matches != 1
            silent += not notices
            _send(backend)
            sleep(EVERY_S)
        lasted_s = monotonic() - began
    caught_up_s = _catch_up(backend)
    verification = backend.verifier.verify()
    kinds = [difference.kind.value for difference in verification.differences]
    given_up = SearchChange.objects.count()
    return compute_smallest_margin(
        [
            Part("seconds of the outage", lasted_s, outage_s),
            Part("changes of words written meanwhile", writes, 1),
            Part("scenes that are missing in the index afterwards", kinds.count("missing") + given_up, 0, at_least=False),
            Part("scenes whose document is outdated or orphaned afterwards", len(kinds) - kinds.count("missing"), 0, at_least=False),
            Part("scenes that could not be compared", 0.0 if verification.is_complete else 1.0, 0, at_least=False),
            Part("searches that did not find what was just written", unanswered, 0, at_least=False),
            Part("answers without a notice", silent, 0, at_least=False),
            Part("seconds that the slowest answer took", slowest_s, MAX_ANSWER_S, at_least=False),
            Part("seconds until the index had everything", caught_up_s, CATCH_UP_S, at_least=False),
        ]
    )


def _write_videos(owner: "User", numbers: Iterable[int]) -> list[UUID]:
    from tests.library import make_video

    return [
        make_video(owner, [f"The boat {number} of scene {scene}." for scene in range(SCENES)], f"Film {number}").pk for number in numbers
    ]


def _edit(owner: "User", video_id: UUID, words: str) -> None:
    from videos.actions.transcripts import edit_transcript
    from videos.models import Scene

    scene = Scene.objects.filter(video_id=video_id).order_by("?").first()
    assert scene
    edit_transcript(owner, scene.video_id, scene.pk, f"A word that nobody knows: {words}.")


def _search(backend: "OpenSearchLexical", owner: "User", text: str) -> tuple[int, tuple[str, ...]]:
    from videos.search.lexical.base import LexicalQuery

    answer = backend.search(LexicalQuery(owner.pk, text, 100))
    return sum(match.is_match for match in answer.matches["lexical"]), answer.notices


def _send(backend: "OpenSearchLexical") -> None:
    """Try to send the outbox, as the workers do."""
    from heimdex.errors import SearchServerUnavailable

    try:
        backend.send_changes(EVERY_S)
    except SearchServerUnavailable:
        return


def _catch_up(backend: "OpenSearchLexical") -> float:
    """Send the outbox as the workers do until it is empty. Return the seconds."""
    from videos.models import SearchChange

    began = monotonic()
    while SearchChange.objects.filter(is_dead=False).exists() and monotonic() - began < CATCH_UP_S:
        _send(backend)
        sleep(EVERY_S)
    return monotonic() - began


GROUP = Group(
    (
        Goal(
            "L6",
            "outage of OpenSearch under writes (10 minutes, unless its parts say otherwise): smallest margin of the parts",
            "0 lost, 0 stale, answers continue",
            0.0,
            MARGIN,
        ),
    ),
    run_rounds,
)
