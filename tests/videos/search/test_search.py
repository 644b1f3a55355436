"""Search finds scenes by speech and content, explains why, and never shows another owner's scenes."""

import io
import json
import re
from unittest import mock
from uuid import uuid4

import pytest
from django.core.management import CommandError, ManagementUtility, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from heimdex.backends import get_text_embedder
from heimdex.errors import ModelUnavailable
from heimdex.profiles import OPENAI
from people.models import Person
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.library import make_user, make_video
from videos.actions.videos import edit_video
from videos.models import EmbeddingSpace, Scene, Video
from videos.search.lexical.handler import get_lexical_backend

pytestmark = pytest.mark.django_db


@pytest.fixture
def library() -> Video:
    """Return an embedded video of owner@example.org; another owner has the same video."""
    videos = [make_video(make_user(email), title="Harbour diary") for email in ("owner@example.org", "other@example.org")]
    run_worker(start_run(Scope("all"), force=False, entry_point="command", requested_by=None).pk)
    return videos[0]


@pytest.fixture
def api(library: Video) -> APIClient:
    client = APIClient()
    client.force_authenticate(library.owner)
    return client


@pytest.mark.usefixtures("packaged_models")
def test_words_and_meaning_find_a_scene_and_the_answer_contains_the_reasons(api: APIClient, library: Video) -> None:
    answer = api.get("/v1/search", {"q": "sailing a ship on the ocean"}).json()
    best = answer["results"][0]
    assert best["transcript"].startswith("The quick boat sailed")
    assert (best["start_s"], best["end_s"], best["title"]) == (0.0, 5.0, "Harbour diary")
    why = {match["channel"]: match for match in best["matches"]}
    assert why["transcript"]["rank"] == 1
    assert "<mark>sailed</mark>" in why["lexical"]["highlight"]
    assert best["preview_url"].endswith("#t=0.00,5.00")


def test_another_owners_scenes_are_never_in_the_answer(api: APIClient, library: Video) -> None:
    theirs = set(Scene.objects.exclude(owner=library.owner).values_list("pk", flat=True))
    for query in ("boat", "object", "garden kitchen", "harbour diary"):
        scene_ids = {
            hit["scene_id"] for hit in api.get("/v1/search", {"q": query, "limit": 100, "per_video": 100, "join": False}).json()["results"]
        }
        assert scene_ids
        assert not scene_ids & {str(scene) for scene in theirs}
    other_video = Video.objects.exclude(owner=library.owner).get()
    for video_id in (other_video.pk, uuid4()):
        answer = api.get("/v1/search", {"q": "boat", "video_id": str(video_id)})
        assert (answer.status_code, answer.json()) == (404, {"detail": "You have no video with this id."})


def test_nonsense_finds_nothing(api: APIClient) -> None:
    answer = api.get("/v1/search", {"q": "qwertzuiop xyzzy"}).json()
    assert [hit for hit in answer["results"] if any(match["channel"] in ("lexical", "transcript") for match in hit["matches"])] == []


def test_quotes_and_minus_are_taken_literally(api: APIClient) -> None:
    def find_by_words(query: str) -> list[str]:
        results = api.get("/v1/search", {"q": query}).json()["results"]
        return [hit["transcript"][:9] for hit in results if any(match["channel"] == "lexical" for match in hit["matches"])]

    assert find_by_words('"railway station"') == ["The commi"]
    assert find_by_words('"station railway"') == []
    assert "The quick" not in find_by_words("the -boat committee")


_TALK = " ".join(f"Sentence {number} of a long talk about nothing." for number in range(40))


@pytest.mark.parametrize(
    ("transcript", "query", "highlight"),
    [
        ("We went out. The boat sailed.", "sailed", "We went out. The boat <mark>sailed</mark>."),
        (f"A boat came. {_TALK}", "boat", r"A <mark>boat</mark> came. Sentence 0 of .* …"),
        (f"{_TALK} The boat came. {_TALK}", "boat", r"… .*about nothing. The <mark>boat</mark> came. Sentence 0 .* …"),
        (f"{_TALK} The boat", "boat", r"… .*about nothing. The <mark>boat</mark>"),
        (f"<b>boat</b> & {_TALK}", "boat", r"&lt;b&gt;<mark>boat</mark>&lt;/b&gt; &amp; Sentence 0 .* …"),
        (f"{_TALK} One boat. {_TALK} More boats. {_TALK}", "boat", r"… .*One <mark>boat</mark>.* … .*More <mark>boats</mark>.* …"),
        (_TALK, "harbour", r"Sentence 0 of a long talk .* …"),
        ("The quick fox.", "harbour", "The quick fox."),
    ],
    ids=["short", "beginning", "middle", "end", "tags", "two places", "long, only the title", "short, only the title"],
)
def test_an_excerpt_is_whole_or_marks_where_it_was_cut(api: APIClient, library: Video, transcript: str, query: str, highlight: str) -> None:
    scene = library.scenes.get(index=0)
    Scene.objects.filter(pk=scene.pk).update(transcript=transcript, visual_text="")
    get_lexical_backend().index([scene.pk])
    results = api.get("/v1/search", {"q": query, "join": False}).json()["results"]
    matches = next(hit["matches"] for hit in results if hit["scene_id"] == str(scene.pk))
    shown = next(match["highlight"] for match in matches if match["channel"] == "lexical")
    assert re.fullmatch(highlight, shown), shown


def test_speech_cannot_inject_html(api: APIClient, library: Video) -> None:
    Scene.objects.filter(video=library, index=0).update(transcript="<script>alert(1)</script> boat <mark>")
    get_lexical_backend().index(library.list_scene_ids())
    highlight = api.get("/v1/search", {"q": "boat"}).json()["results"][0]["matches"]
    shown = next(match["highlight"] for match in highlight if match["channel"] == "lexical")
    assert "<script>" not in shown
    assert "<mark>boat</mark>" in shown


def test_a_new_title_is_searchable_at_once(api: APIClient, library: Video) -> None:
    edit_video(library, title="Zeppelin holidays")
    results = api.get("/v1/search", {"q": "zeppelin"}).json()["results"]
    assert {hit["title"] for hit in results} == {"Zeppelin holidays"}


def test_pages_have_no_gaps_and_no_repetitions(api: APIClient) -> None:
    everything = api.get("/v1/search", {"q": "object", "join": False}).json()
    seen, cursor = [], ""
    while cursor is not None:
        page = api.post("/v1/search", {"q": "object", "limit": 3, "join": False, "cursor": cursor}).json()
        seen += [hit["scene_id"] for hit in page["results"]]
        cursor = page["next_cursor"]
    assert seen == [hit["scene_id"] for hit in everything["results"]]
    assert len(seen) == everything["total"] == 4


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "q"),
        ({"q": ""}, "q"),
        ({"q": "x" * 1001}, "q"),
        ({"q": "\x00"}, "q"),
        ({"q": "a", "limit": "0"}, "limit"),
        ({"q": "a", "cursor": "?"}, "cursor"),
        ({"q": "a", "video_id": "7"}, "video_id"),
    ],
)
def test_an_invalid_query_is_reported_by_field(api: APIClient, query: dict[str, str], field: str) -> None:
    answer = api.get("/v1/search", query)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]


def test_without_its_model_the_search_uses_words_and_reports_it(api: APIClient) -> None:
    with mock.patch.object(get_text_embedder(), "embed_queries", side_effect=ModelUnavailable("The text model is not installed here.")):
        answer = api.get("/v1/search", {"q": "boat"}).json()
    assert answer["results"][0]["transcript"].startswith("The quick boat")
    assert any("The text model is not installed here." in notice for notice in answer["notices"])


def test_vectors_are_searched_with_the_model_that_computed_them(api: APIClient, settings: Settings) -> None:
    before = api.get("/v1/search", {"q": "sailing a ship"}).json()["results"]
    served = {"model": "another", "dimensions": 384, "base_url": "http://127.0.0.1:1/v1"}
    settings.MODEL_BACKENDS = {**settings.MODEL_BACKENDS, "text": {"BACKEND": OPENAI, "OPTIONS": served}}
    answer = api.get("/v1/search", {"q": "sailing a ship"}).json()
    assert answer["notices"] == []
    assert [(hit["scene_id"], hit["matches"]) for hit in answer["results"]] == [(hit["scene_id"], hit["matches"]) for hit in before]


@pytest.mark.usefixtures("packaged_models")
def test_vectors_of_an_unavailable_model_are_not_compared_with_others(api: APIClient) -> None:
    for space in EmbeddingSpace.objects.exclude(channel="clip"):
        space.embedder |= {"revision": "another"}
        space.save()
    answer = api.get("/v1/search", {"q": "sailing a ship"}).json()
    channels = {match["channel"] for hit in answer["results"] for match in hit["matches"]}
    assert channels <= {"lexical", "clip"}
    assert any("is a different model now" in notice and "reprocess" in notice for notice in answer["notices"])


def test_a_video_that_is_not_indexed_is_not_found(api: APIClient, library: Video) -> None:
    Video.objects.filter(pk=library.pk).update(state=Video.State.PROCESSING)
    assert api.get("/v1/search", {"q": "boat"}).json()["total"] == 0


def test_the_number_of_queries_does_not_grow_with_the_answer(api: APIClient, library: Video) -> None:
    def count_queries(limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            api.get("/v1/search", {"q": "object", "limit": limit, "join": False})
        return len(captured)

    assert count_queries(1) == count_queries(4)


def test_the_command_shows_times_and_reasons(library: Video) -> None:
    out = io.StringIO()
    call_command("search", "boat", owner="OWNER@example.org", stdout=out)
    assert "1. Harbour diary  0:00.0–0:05.0" in out.getvalue()
    assert "matched by lexical #1" in out.getvalue()
    out = io.StringIO()
    call_command("search", "boat", "--json", owner="owner@example.org", stdout=out)
    assert json.loads(out.getvalue())["results"][0]["matches"][0]["channel"] == "lexical"
    with pytest.raises(CommandError, match="There is no owner nobody@example"):
        call_command("search", "boat", owner="nobody@example.org")


def test_the_command_offers_people_and_names_an_unknown_video(library: Video) -> None:
    Person.objects.create(owner=library.owner, name="Ann Smith")
    err = io.StringIO()
    call_command("search", "boat Ann Smith", owner="owner@example.org", stdout=io.StringIO(), stderr=err)
    assert err.getvalue() == 'Only scenes with Ann Smith: boat @"Ann Smith"\n'
    theirs = Video.objects.exclude(owner=library.owner).get()
    with pytest.raises(CommandError, match=f"There is no video {theirs.pk}. Check the id.") as refused:
        call_command("search", "boat", video_id=theirs.pk, owner="owner@example.org")
    assert refused.value.returncode == 2


@pytest.mark.parametrize("limit", ["0", "-3", "ten", "1.5", ""])
def test_an_invalid_limit_is_a_usage_error(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        ManagementUtility(["manage.py", "search", "boat", "--owner", "owner@example.org", f"--limit={limit}"]).execute()
    assert ended.value.code == 2
    assert f"argument --limit: {limit!r} is not possible. Give a whole number from 1 to 1000000" in capsys.readouterr().err
