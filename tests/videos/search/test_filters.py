"""Phrases, exclusions and filters hold for every scene of an answer, whichever channel finds it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.library import make_user, make_video
from tests.videos.search.test_query_language import QUERIES
from videos.actions.collections import add_videos, create_collection
from videos.actions.tags import set_video_tags
from videos.actions.videos import edit_video
from videos.models import Scene, Video, VideoMetadata
from videos.search.lexical.handler import get_lexical_backend

pytestmark = pytest.mark.django_db

Find = Callable[..., set[str]]


def add_film(owner: User, title: str, sayings: list[str], *, language: str = "en", duration_s: float = 60, day: int = 1) -> Video:
    """Create an indexed video that was uploaded at noon of a day in June 2026."""
    video = make_video(owner, sayings, title=title)
    Video.objects.filter(pk=video.pk).update(created_at=datetime(2026, 6, day, 12, tzinfo=UTC))
    properties = {"container": "mp4", "width": 320, "height": 180, "fps": 25, "video_codec": "h264"}
    VideoMetadata.objects.create(video=video, owner=owner, duration_s=duration_s, language=language, **properties)
    return video


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def films(owner: User) -> dict[str, Video]:
    """Return two embedded videos; another owner has the same."""
    for user in (make_user("other@example.org"), owner):
        films = {
            "harbor": add_film(owner=user, title="Harbor tour", sayings=["The old boat left the railway station.", "A boat at sea."]),
            "garden": add_film(user, "Garden", ["Railway tracks near a station.", "An oil boat."], language="de", duration_s=700, day=20),
        }
        scene = films["garden"].scenes.get(index=1)
        Scene.objects.filter(pk=scene.pk).update(
            on_screen_text="EXIT ONLY", visual_text="A red boat.", tags=[{"name": "Dog", "confidence": 1}]
        )
        get_lexical_backend().index([scene.pk])
    run_worker(start_run(Scope("all"), force=False, entry_point="command", requested_by=None).pk)
    return films


@pytest.fixture
def find(owner: User, films: dict[str, Video]) -> Find:
    """Return a function that searches, and returns the scenes of all pages as title and index."""
    client = APIClient()
    client.force_authenticate(owner)
    names = {str(scene.pk): f"{scene.video.title} {scene.index}" for scene in Scene.objects.filter(owner=owner).select_related("video")}

    def search(q: str = "", **parameters: object) -> set[str]:
        answer = client.get("/v1/search", {"q": q, "limit": 100, "join": False, **parameters})
        assert answer.status_code == 200, answer.json()
        return {names[hit["scene_id"]] for hit in answer.json()["results"]}

    return search


ALL = {"Harbor tour 0", "Harbor tour 1", "Garden 0", "Garden 1"}


@pytest.mark.parametrize(
    ("query", "scenes"),
    [
        ('"railway station"', {"Harbor tour 0"}),
        ('"station railway"', set()),
        ('boat "railway station"', {"Harbor tour 0"}),
        ('boat -"railway station"', ALL - {"Harbor tour 0"}),
        ("boat -sea", ALL - {"Harbor tour 1"}),
        ("-boat station", {"Garden 0"}),
        ("-boat", {"Garden 0"}),
        ("said:railway", {"Harbor tour 0", "Garden 0"}),
        ('said:"railway tracks"', {"Garden 0"}),
        ("seen:red", {"Garden 1"}),
        ("said:red", set()),
        ("onscreen:exit boat", {"Garden 1"}),
        ("-onscreen:exit boat", ALL - {"Garden 1"}),
        ("title:harbor", {"Harbor tour 0", "Harbor tour 1"}),
        ('title:"harbor tour" said:sea', {"Harbor tour 1"}),
        ("boat -title:harbor", {"Garden 0", "Garden 1"}),
        # An exclusion counts wherever the word is: here in the title.
        ("boat -tour", {"Garden 0", "Garden 1"}),
        ("lang:german", {"Garden 0", "Garden 1"}),
        ("boat -lang:de", {"Harbor tour 0", "Harbor tour 1"}),
        ("after:2026-06-20", {"Garden 0", "Garden 1"}),
        ("before:2026-06-20", {"Harbor tour 0", "Harbor tour 1"}),
        ("after:2026-06-21", set()),
        ("longer:10m", {"Garden 0", "Garden 1"}),
        ("shorter:1:01 boat", {"Harbor tour 0", "Harbor tour 1"}),
        ("longer:60", {"Garden 0", "Garden 1"}),
        ("tag:dog", {"Garden 1"}),
        ("boat -tag:DOG", ALL - {"Garden 1"}),
        ('tag:"object 0"', {"Harbor tour 0", "Garden 0"}),
        ("tag:o.*g", set()),
    ],
)
def test_no_scene_breaks_a_condition(find: Find, query: str, scenes: set[str]) -> None:
    assert find(query) == scenes


def test_the_same_filters_are_parameters(find: Find, films: dict[str, Video], owner: User) -> None:
    garden, harbor = {"Garden 0", "Garden 1"}, {"Harbor tour 0", "Harbor tour 1"}
    assert find(video_id=films["garden"].pk) == garden
    assert find("boat", lang=["de", "fr"]) == find(lang="german") == garden
    assert find("boat", after="2026-06-20") == find(after="2026-06-02") == garden
    assert find("boat", before="2026-06-20") == harbor
    assert find("boat", longer="10m") == find(longer="61") == garden
    assert find("boat", shorter="1:01") == harbor
    assert find("boat", tag="dog") == {"Garden 1"}
    assert find("lang:de", before="2026-06-20") == set()
    collection = create_collection(owner, "Favorites")
    assert find("boat", collection_id=collection.pk) == set()
    add_videos(owner, collection.pk, [films["harbor"].pk])
    assert find("boat", collection_id=collection.pk) == find(collection_id=collection.pk) == harbor


def test_a_title_is_a_filter_beside_words(owner: User, films: dict[str, Video], find: Find) -> None:
    assert find("title:garden exit", mode="onscreen") == find("lang:de exit", mode="onscreen") == {"Garden 1"}
    client = APIClient()
    client.force_authenticate(owner)
    answer = client.get("/v1/search", {"q": "title:garden xylophone", "mode": "onscreen"}).json()
    assert (answer["fits"], answer["results"]) == (False, [])


def test_manual_tags_and_those_of_a_video_are_found(find: Find, films: dict[str, Video], owner: User) -> None:
    set_video_tags(owner, films["harbor"].pk, ["Summer holidays"])
    Video.objects.filter(pk=films["garden"].pk).update(tags=["Flower"])
    assert find('tag:"summer holidays"') == find(tag="SUMMER HOLIDAYS") == {"Harbor tour 0", "Harbor tour 1"}
    assert find("tag:flower tag:dog") == {"Garden 1"}
    assert find("tag:flower") == {"Garden 0", "Garden 1"}
    assert find('boat -tag:"summer holidays"') == {"Garden 0", "Garden 1"}


@pytest.mark.parametrize("typed", ["Café A\u2212B", "cafe\u0301 a\uff0db", "CAFÉ A-B"])
def test_a_tag_is_found_in_any_unicode_form(find: Find, films: dict[str, Video], owner: User, typed: str) -> None:
    assert set_video_tags(owner, films["garden"].pk, ["Cafe\u0301 A\u2212B", "Café A-B"]) == ["Café A-B"]
    assert find(f'tag:"{typed}"') == find(tag=typed) == {"Garden 0", "Garden 1"}


def test_a_facet_of_tags_counts_what_its_filter_keeps(find: Find, films: dict[str, Video], owner: User) -> None:
    # Letters with a lower case of their own in Python, in regular expressions and in the database.
    set_video_tags(owner, films["harbor"].pk, ["İstanbul", "STRAẞE"])
    Video.objects.filter(pk=films["garden"].pk).update(tags=["\u212aelvin"])
    client = APIClient()
    client.force_authenticate(owner)
    tags = client.get("/v1/search", {"longer": "1", "facets": True}).json()["facets"]["tags"]
    counts = {tag["value"]: tag["count"] for tag in tags}
    assert counts == {tag: len(find(tag=tag)) for tag in counts}
    assert counts == {tag: len(find(f'tag:"{tag}"')) for tag in counts}
    assert {"istanbul", "straße", "kelvin"} <= set(counts)


def test_a_day_begins_at_midnight_of_the_server(find: Find, films: dict[str, Video], settings: Settings) -> None:
    Video.objects.filter(pk=films["garden"].pk).update(created_at=datetime(2026, 6, 19, 15, 30, tzinfo=UTC))
    settings.TIME_ZONE = "Asia/Seoul"
    assert find("after:2026-06-20") == {"Garden 0", "Garden 1"}
    settings.TIME_ZONE = "UTC"
    assert find("after:2026-06-20") == set()


def test_the_language_that_the_owner_gave_counts_without_a_transcribed_one(find: Find, films: dict[str, Video]) -> None:
    VideoMetadata.objects.filter(video=films["garden"]).update(language="")
    Video.objects.filter(pk=films["garden"].pk).update(language="ko")
    assert find("lang:ko") == {"Garden 0", "Garden 1"}
    assert find("lang:de") == set()
    assert find("boat -lang:ko") == {"Harbor tour 0", "Harbor tour 1"}


@pytest.mark.parametrize(
    ("mode", "query", "scenes"),
    [
        ("onscreen", "exit boat", {"Garden 1"}),
        ("seen", '"red boat"', {"Garden 1"}),
        ("said", '"red boat"', set()),
        ("people", "boat", set()),
    ],
)
def test_a_mode_searches_its_own_channels(find: Find, mode: str, query: str, scenes: set[str]) -> None:
    assert find(query, mode=mode) == scenes


def test_matches_show_the_mode_and_the_evidence(owner: User, films: dict[str, Video]) -> None:
    client = APIClient()
    client.force_authenticate(owner)

    def list_channels(**parameters: object) -> set[str]:
        results = client.get("/v1/search", {"q": "red boat exit", "join": False, **parameters}).json()["results"]
        return {match["channel"] for hit in results for match in hit["matches"]}

    assert list_channels() == {"lexical", "shown_words", "on_screen", "transcript", "visual", "summary"}
    assert list_channels(mode="said") == {"lexical", "transcript"}
    assert list_channels(mode="seen") == {"shown_words", "visual"}
    assert list_channels(mode="onscreen") == {"on_screen"}
    hits = client.get("/v1/search", {"q": "exit", "evidence": "onscreen"}).json()["results"]
    assert len(hits) == 1
    # Evidence chooses scenes; all channels rank them.
    assert {match["channel"] for match in hits[0]["matches"]} > {"on_screen"}
    assert client.get("/v1/search", {"tag": "dog", "evidence": "seen"}).json() == {
        "evidence": ["A kind of evidence can be required only in a search for words or people. Add words, or leave it out."]
    }


def test_words_in_speech_are_no_evidence_of_what_is_seen(find: Find) -> None:
    assert "Garden 0" in find("tracks", mode="said")
    assert find("sea", evidence="onscreen") == set()


def test_a_description_of_a_video_is_excluded_and_contains_phrases(find: Find, films: dict[str, Video]) -> None:
    edit_video(films["garden"], description="Filmed in old Lisbon.")
    assert find("boat -lisbon") == {"Harbor tour 0", "Harbor tour 1"}
    assert find('"old lisbon"') == {"Garden 0", "Garden 1"}
    assert find("title:lisbon") == set()


@pytest.mark.parametrize("query", ["\u200f\u200f", "\u0301\u0301", "\ufffd", "?!", "- @"])
def test_nothing_fits_a_query_without_anything_to_search_for(owner: User, films: dict[str, Video], query: str) -> None:
    client = APIClient()
    client.force_authenticate(owner)
    answer = client.get("/v1/search", {"q": query}).json()
    assert (answer["results"], answer["fits"]) == ([], False)
    assert answer["notices"] == ["The query has no letter, digit or emoji to search for. Add words."]


def test_left_over_signs_restrict_nothing(find: Find) -> None:
    assert find('5" --boat boat') >= find("boat")


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(QUERIES)
def test_any_query_has_an_answer_or_is_refused_with_its_position(owner: User, text: str) -> None:
    client = APIClient()
    client.force_authenticate(owner)
    answer = client.post("/v1/search", {"q": text[:1000], "tag": ["dog"]}, format="json")
    assert answer.status_code in (200, 400), (text, answer.json())
    if answer.status_code == 400:
        assert list(answer.json()) == ["q"]


def test_unknown_collections_and_people_of_others_are_not_found(owner: User, films: dict[str, Video]) -> None:
    client = APIClient()
    client.force_authenticate(owner)
    theirs = create_collection(User.objects.get(email="other@example.org"), "Theirs")
    answer = client.get("/v1/search", {"q": "boat", "collection_id": theirs.pk})
    assert (answer.status_code, answer.json()) == (404, {"detail": "You have no collection with this id."})
