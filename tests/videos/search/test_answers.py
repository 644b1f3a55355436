"""What an answer tells beside its scenes: facets, suggestions, an explanation; and completions of what is typed."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from rest_framework.test import APIClient

from people.models import Person
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.library import make_user, make_video
from tests.people.test_search import Library
from videos.actions.collections import add_videos, create_collection
from videos.actions.tags import set_video_tags
from videos.actions.videos import edit_video
from videos.models import Video, VideoMetadata
from videos.search.suggestions import list_phrases, replace_name

pytestmark = pytest.mark.django_db


@pytest.fixture
def library() -> Library:
    return Library(make_user())


@pytest.fixture
def api(library: Library) -> APIClient:
    client = APIClient()
    client.force_authenticate(library.owner)
    return client


@pytest.mark.parametrize("query", ["boat", "after:2000"])
def test_facets_count_the_scenes_that_a_filter_would_keep(library: Library, api: APIClient, query: str) -> None:
    owner = library.owner
    other = make_video(owner, ["A boat.", "A boat boat."], title="Boats")
    Video.objects.filter(pk=library.video.pk).update(language="en", tags=["Sea"])
    VideoMetadata.objects.create(video=other, owner=owner, duration_s=9, width=1, height=1, fps=1, language="de")
    set_video_tags(owner, other.pk, ["Sea", "Favorite"])
    add_videos(owner, create_collection(owner, "Best").pk, [other.pk])
    ann = library.add_person("Ann", 0, 1)
    make_video(make_user("other@example.org"), ["A boat."], title="Theirs")

    facets = api.get("/v1/search", {"q": query, "facets": True}).json()["facets"]

    counts = {name: {row["label"]: row["count"] for row in rows} for name, rows in facets.items()}
    films = 1 if query == "boat" else 4
    assert counts["videos"] == {"A film": films, "Boats": 2}
    assert counts["collections"] == {"Best": 2}
    assert counts["languages"] == {"en": films, "de": 2}
    assert counts["people"] == {"Ann": 1 if query == "boat" else 2}
    assert facets["people"][0]["value"] == str(ann.pk)
    assert counts["tags"]["sea"] == films + 2
    assert (counts["tags"]["favorite"], counts["tags"]["object 0"]) == (2, 2)
    # Each count is that of the answer with the filter.
    for tag in ("sea", "favorite", "object 0", "object 1"):
        assert api.get("/v1/search", {"q": query, "tag": tag, "join": False}).json()["total"] == counts["tags"][tag]
    assert api.get("/v1/search", {"q": query}).json()["facets"] is None


def test_a_plain_name_is_offered_and_not_applied(library: Library, api: APIClient) -> None:
    ann = library.add_person("Ann Smith", 3, aliases=("Annie",))
    library.add_person("Ann", 0)
    answer = api.get("/v1/search", {"q": "boat with ann  smith -car"}).json()
    assert answer["results"][0]["start_s"] == 0.0
    assert answer["suggestions"] == [{"person_id": str(ann.pk), "name": "Ann Smith", "query": 'boat with @"ann smith" -car'}]
    accepted = api.get("/v1/search", {"q": answer["suggestions"][0]["query"]}).json()
    assert {hit["start_s"] for hit in accepted["results"]} == {15.0}
    assert accepted["suggestions"] == []
    assert [row["query"] for row in api.get("/v1/search", {"q": "annie sails"}).json()["suggestions"]] == ['@"annie" sails']
    assert api.get("/v1/search", {"q": '"ann smith" said:ann'}).json()["suggestions"] == []


def test_the_mode_people_reads_plain_names(library: Library, api: APIClient) -> None:
    library.add_person("Ann Smith", 1, 2)
    answer = api.get("/v1/search", {"q": "ann smith", "mode": "people", "join": False}).json()
    assert sorted(hit["start_s"] for hit in answer["results"]) == [5.0, 10.0]
    assert api.get("/v1/search", {"q": "nobody", "mode": "people"}).json()["results"] == []
    library.add_person("Bea", 3)
    followed = api.get("/v1/search", {"q": "ann smith then:30 bea", "mode": "people", "join": False}).json()
    assert sorted(hit["start_s"] for hit in followed["results"]) == [5.0, 10.0]


def test_a_person_is_excluded(library: Library, api: APIClient) -> None:
    library.add_person("Ann", 0, 1)
    library.add_person("Ben", 1, 2)
    assert sorted(hit["start_s"] for hit in api.get("/v1/search", {"q": "@Ben -@Ann"}).json()["results"]) == [10.0]
    assert {hit["start_s"] for hit in api.get("/v1/search", {"q": "-@Ann"}).json()["results"]} == {10.0, 15.0}


@pytest.mark.parametrize(
    ("text", "name", "changed"),
    [
        ("Ann sails", "ann", '@"Ann" sails'),
        ("anna and ann", "ann", 'anna and @"ann"'),
        ('"write ann" now', "ann", '"write ann" now'),
        ('"write ann" to ann', "ann", '"write ann" to @"ann"'),
        ("@ann", "ann", "@ann"),
        ("said:ann", "ann", "said:ann"),
        ("ann: hello", "ann", "ann: hello"),
    ],
)
def test_only_a_plain_name_is_replaced(text: str, name: str, changed: str) -> None:
    assert replace_name(text, name) == changed


def test_names_of_four_words_among_the_first_32_are_recognized() -> None:
    assert list_phrases("a b a") == ["a", "a b", "a b a", "b", "b a"]
    phrases = list_phrases(" ".join(f"w{number}" for number in range(40)))
    assert len(phrases) == 32 + 31 + 30 + 29
    assert "w28 w29 w30 w31" in phrases
    # Marks belong to their letters, apart from them or not.
    assert list_phrases("हिन्दी Zoe\u0308") == ["हिन्दी", "हिन्दी Zoë", "Zoë"]
    assert replace_name("हिन्दी गीत", "हिन्दी") == '@"हिन्दी" गीत'


def test_names_tags_and_titles_are_completed(library: Library, api: APIClient) -> None:
    library.add_person("Ann Smith")
    library.add_person("Bea", aliases=("Smithy",))
    set_video_tags(library.owner, library.video.pk, ["Small boats"])
    Video.objects.filter(pk=library.video.pk).update(tags=["smoke", "dog"])
    edit_video(library.video, title='My "small" film')
    theirs = make_video(make_user("other@example.org"), title="Small secret")
    Person.objects.create(owner=theirs.owner, name="Smile")
    set_video_tags(theirs.owner, theirs.pk, ["smart"])

    completions = api.get("/v1/search/complete", {"q": "sm"}).json()["results"]

    assert [(row["kind"], row["value"], row["query"]) for row in completions] == [
        ("person", "Ann Smith", '@"Ann Smith"'),
        ("person", "Bea", '@"Bea"'),
        ("tag", "Small boats", 'tag:"Small boats"'),
        ("tag", "smoke", "tag:smoke"),
    ]
    titles = api.get("/v1/search/complete", {"q": "my", "kind": "title"}).json()["results"]
    assert [row["query"] for row in titles] == ['title:"My  small  film"']
    assert api.get("/v1/search", {"q": titles[0]["query"]}).json()["total"] == 4
    assert api.get("/v1/search/complete", {"q": "ilm"}).json()["results"] == []
    assert api.get("/v1/search/complete").json() == {"q": ["This field is required."]}


def test_an_explanation_has_the_time_candidates_and_score_of_each_part(library: Library, api: APIClient) -> None:
    run_worker(start_run(Scope("all"), force=False, entry_point="command", requested_by=None).pk)
    library.add_person("Ann", 0)
    answer = api.get("/v1/search", {"q": "@Ann boat", "explain": True}).json()
    parts = {part["name"]: part for part in answer["explanation"]}
    assert [*parts] == ["query", "person", "vectors", "words", "passages", "hits"]
    assert parts["person"]["candidates"] == {"person": 1}
    assert parts["words"]["candidates"]["lexical"] == 1
    channels = {match["channel"] for hit in answer["results"] for match in hit["matches"]} - {"person", "lexical", "on_screen"}
    candidates = parts["vectors"]["candidates"]
    assert {channel: count for channel, count in candidates.items() if count} == dict.fromkeys(channels, 1)
    assert all(part["time_ms"] >= 0 for part in parts.values())
    for hit in answer["results"]:
        evidence = [match["evidence"] for match in hit["matches"]]
        assert evidence == sorted(evidence, reverse=True)
    person = next(match for match in answer["results"][0]["matches"] if match["channel"] == "person")
    assert (person["certainty"], person["evidence"]) == (person["score"], person["score"])
    plain = api.get("/v1/search", {"q": "@Ann boat"}).json()
    assert plain["explanation"] is None
    assert not {"certainty", "evidence"} & plain["results"][0]["matches"][0].keys()


def run_command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("search", *arguments, owner="owner@example.org", stdout=out)
    return out.getvalue()


def test_the_command_takes_the_same_filters(library: Library) -> None:
    other = make_video(library.owner, ["A boat."], title="Boats")
    set_video_tags(library.owner, other.pk, ["Sea"])
    create_collection(library.owner, "Best")
    for arguments in (
        ["boat", "--tag", "sea"],
        ["boat title:boats"],
        ["--video-id", str(other.pk)],
        ["boat", "--mode", "said", "--tag", "SEA"],
    ):
        assert {hit["title"] for hit in json.loads(run_command(*arguments, "--json"))["results"]} == {"Boats"}, arguments
    assert json.loads(run_command("boat", "--collection", "best", "--json"))["results"] == []
    assert run_command("boat", "--sort", "title", "--limit", "1").startswith("1. A film")
    page = json.loads(run_command("after:2000", "--limit", "3", "--json", "--facets", "--explain"))
    assert {row["label"] for row in page["facets"]["videos"]} == {"A film", "Boats"}
    assert page["explanation"][0]["name"] == "query"
    rest = json.loads(run_command("after:2000", "--limit", "3", "--json", "--cursor", page["next_cursor"]))
    assert len({hit["scene_id"] for hit in page["results"] + rest["results"]}) == 5


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["before:soon"], "Character 1: 'soon' is no day"),
        ([], "Give words or a filter"),
        (["boat", "--collection", "absent"], "There is no collection absent"),
        (["boat", "--person", "absent"], "There is no person absent"),
        (["boat", "--cursor", "7"], "not the cursor of an answer to this search"),
    ],
)
def test_wrong_usage_of_the_command_names_the_fix(library: Library, arguments: list[str], problem: str) -> None:
    with pytest.raises(CommandError, match=problem) as refused:
        run_command(*arguments)
    assert refused.value.returncode == 2
