"""Owners judge results: over the API and on the search page. `manage.py evaluate --saved` measures search by them."""

import json
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.actions import judgments
from videos.evaluation.saved import list_saved_queries
from videos.models import Judgment, Scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def scene(owner: User) -> Scene:
    return make_video(owner).scenes.get(index=0)


@pytest.fixture
def api(owner: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(owner)
    return client


def judge(api: APIClient, scene: Scene, query: str = "boat", fits: bool = True) -> int:
    return api.post("/v1/judgments", {"q": query, "scene_id": scene.pk, "fits": fits}).status_code


def test_a_judgment_is_replaced_listed_and_deleted(api: APIClient, scene: Scene) -> None:
    assert judge(api, scene, " red   boat ") == 201
    assert judge(api, scene, "red boat", fits=False) == 201
    (listed,) = api.get("/v1/judgments").json()["results"]
    assert (listed["q"], listed["scene_id"], listed["fits"]) == ("red boat", str(scene.pk), False)
    assert api.delete(f"/v1/judgments/{listed['id']}").status_code == 204
    assert api.get("/v1/judgments").json()["results"] == []


def test_others_neither_judge_nor_see_an_owners_scenes(api: APIClient, scene: Scene) -> None:
    judge(api, scene)
    stranger = APIClient()
    stranger.force_authenticate(make_user("stranger@example.org"))
    assert judge(stranger, scene) == 404
    assert stranger.get("/v1/judgments").json()["results"] == []
    assert stranger.delete(f"/v1/judgments/{Judgment.objects.get().pk}").status_code == 404


def test_a_query_that_cannot_be_searched_is_not_judged(api: APIClient, scene: Scene) -> None:
    answer = api.post("/v1/judgments", {"q": 'boat tag:"', "scene_id": scene.pk, "fits": True})
    assert (answer.status_code, answer.json()) == (400, {"q": ["Character 10: The quotation mark is not closed. Close it, or remove it."]})


def test_the_longest_query_of_any_script_can_be_judged(api: APIClient, scene: Scene) -> None:
    text = "".join(chr(0x4E00 + 7919 * place % 20_000) for place in range(1000))
    assert judge(api, scene, text) == 201
    assert judge(api, scene, f"{text}x") == 400


def test_judgments_are_limited(api: APIClient, scene: Scene) -> None:
    with mock.patch.object(judgments, "MAX_JUDGMENTS", 1):
        assert [judge(api, scene), judge(api, scene, "sea"), judge(api, scene, fits=False)] == [201, 409, 201]


def test_the_buttons_of_a_result_record_and_withdraw(owner: User, scene: Scene) -> None:
    browser = Client()
    browser.force_login(owner)
    page = browser.get("/search/", {"q": "boat"}).content.decode()
    assert 'name="opinion" value="fits" aria-pressed="false"' in page
    form = {"q": "boat", "scene": scene.pk, "opinion": "fits"}
    answer = browser.post("/search/judge/", form)
    assert answer["Location"] == f"/search/?q=boat#scene-{scene.pk}"
    assert Judgment.objects.get().fits
    page = browser.get("/search/", {"q": "boat"}).content.decode()
    assert 'name="opinion" value="none" aria-pressed="true"' in page
    assert f'id="scene-{scene.pk}"' in page
    browser.post("/search/judge/", {**form, "opinion": "other"})
    assert not Judgment.objects.get().fits
    browser.post("/search/judge/", {**form, "opinion": "none"})
    assert not Judgment.objects.exists()
    assert browser.post("/search/judge/", {**form, "opinion": "perhaps"}).status_code == 400
    assert "Character 10" in browser.post("/search/judge/", {**form, "q": 'boat tag:"'}, follow=True).content.decode()
    assert not Judgment.objects.exists()
    browser.force_login(make_user("stranger@example.org"))
    assert browser.post("/search/judge/", form).status_code == 404


def test_judgments_are_queries_with_grades(owner: User, api: APIClient, scene: Scene) -> None:
    other = scene.video.scenes.get(index=1)
    judge(api, scene)
    judge(api, other, fits=False)
    judge(api, other, "nothing fits", fits=False)
    (query,) = list_saved_queries(owner.pk)
    assert (query.judged.text, query.grades) == ("boat", {scene.pk: 1, other.pk: 0})
    judge(api, other, "garden")
    assert [query.judged.text for query in list_saved_queries(owner.pk, 1)] == ["garden"]


def test_search_is_evaluated_by_saved_judgments(owner: User, api: APIClient, scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="has judged no scene as fitting"):
        call_command("evaluate", "--saved", "--owner", owner.email)
    judge(api, scene)
    call_command("evaluate", "--saved", "--owner", owner.email, "--json")
    answer = json.loads(capsys.readouterr().out)
    assert answer["queries"] == 1
    assert [row["r_1"]["mean"] for row in answer["rows"] if row.get("mode") == "fusion" and "minus" not in row] == [1.0]
    with pytest.raises(CommandError, match="either a FILE"):
        call_command("evaluate", "--owner", owner.email)
