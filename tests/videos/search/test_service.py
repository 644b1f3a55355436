"""Limits of a search, and answers without a lexical backend."""

from collections.abc import Sequence
from unittest import mock

import pytest
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.acceptance.conftest import lock_table
from tests.library import make_user, make_video
from videos.models import Scene, Video
from videos.search.lexical.base import LexicalUnavailable
from videos.search.lexical.handler import get_lexical_backend
from videos.search.lexical.postgres import PostgresLexical
from videos.search.service import SearchRequest, search

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user()


def add_scenes(owner: User, texts: Sequence[str]) -> Video:
    video = make_video(owner, [])
    Scene.objects.bulk_create(
        Scene(video=video, owner=owner, index=index, start_s=index, end_s=index + 1, transcript=text) for index, text in enumerate(texts)
    )
    get_lexical_backend().index(video.list_scene_ids())
    return video


def test_an_answer_has_at_most_ten_scenes_of_a_video_by_default(owner: User) -> None:
    add_scenes(owner, ["A boat."] * 11)
    add_scenes(owner, ["A boat."] * 9)
    assert search(owner, SearchRequest("boat", limit=100)).total == 19
    assert search(owner, SearchRequest("boat", limit=100, per_video=11)).total == 20


def test_a_channel_contributes_at_most_200_scenes(owner: User) -> None:
    add_scenes(owner, ["A boat."] * 201)
    assert search(owner, SearchRequest("boat", per_video=1000)).total == 200


@pytest.mark.parametrize("method", ["search", "highlight"])
def test_an_unreachable_lexical_backend_is_reported_and_other_channels_answer(owner: User, method: str) -> None:
    add_scenes(owner, ["A boat."])
    with mock.patch.object(PostgresLexical, method, side_effect=LexicalUnavailable("The server is not running. Start it.")):
        answer = search(owner, SearchRequest("boat"))
    if method == "search":
        assert answer.notices == ("The search for words was left out: The server is not running. Start it.",)
        assert answer.hits == ()
    else:
        assert [match.highlight for hit in answer.hits for match in hit.matches] == [""]


@pytest.mark.django_db(transaction=True)
def test_channels_that_take_too_long_are_left_out(settings: Settings) -> None:
    owner = make_user()
    make_video(owner, ["A boat."])
    run_worker(start_run(Scope("all"), force=False, entry_point="command", requested_by=None).pk)
    settings.SEARCH_SECONDS = 0.5
    slow = "it takes too long at the moment. Try again later, or search in one video."
    vectors = [f"The {channel} channel was left out: {slow}" for channel in ("clip", "summary", "transcript", "visual")]
    with lock_table("videos_sceneembedding"):
        answer = search(owner, SearchRequest("boat"))
    assert ({match.channel for hit in answer.hits for match in hit.matches}, list(answer.notices)) == ({"lexical"}, vectors)
    with lock_table("videos_video"):
        answer = search(owner, SearchRequest("boat"))
    assert (answer.hits, list(answer.notices)) == ((), [f"The search for words was left out: {slow}", *vectors])
    assert search(owner, SearchRequest("boat")).notices == ()


def test_a_measurement_has_the_same_ranking_and_no_limit_of_time(owner: User, settings: Settings) -> None:
    add_scenes(owner, ["A boat.", "Two boats and a boat.", "A train."])
    answer = search(owner, SearchRequest("boat"))
    settings.SEARCH_SECONDS = 0
    measured = search(owner, SearchRequest("boat", ranking_only=True))
    assert [(hit.scene.pk, hit.score) for hit in measured.hits] == [(hit.scene.pk, hit.score) for hit in answer.hits]
    assert [[match.rank for match in hit.matches] for hit in measured.hits] == [
        [match.rank for match in hit.matches] for hit in answer.hits
    ]
    assert {match.highlight for hit in measured.hits for match in hit.matches} == {""}
    # The train is near boats, but nothing is said of one there.
    assert (measured.total, measured.notices) == (2, ())
    assert search(owner, SearchRequest("boat")).notices
