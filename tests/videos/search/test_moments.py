"""The moments inside a scene at which it answers a query, in the API, the command and the page."""

import io
import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from tests.people.test_search import Library
from videos.actions.transcripts import edit_transcript
from videos.channels import LEXICAL, ON_SCREEN, PERSON, SHOWN
from videos.embedding_texts import SceneSpeech
from videos.models import Scene, Video
from videos.search.lexical.base import Excerpt, Mark
from videos.search.lexical.handler import get_lexical_backend
from videos.search.modes import Kind
from videos.search.moments import MAX_MOMENTS, MAX_PHRASE_S, MAX_TEXT_LENGTH, Moment, find_moments
from videos.search.people_backend import Appearance


def make_speech(*words: tuple[float, str], start_s: float = 10.0, end_s: float = 60.0) -> SceneSpeech:
    """Return the speech of a scene from words, each with the time at which it starts."""
    return SceneSpeech(start_s, end_s, " ".join(word for _, word in words), [(time, time + 0.4, word) for time, word in words])


def mark(speech: SceneSpeech, *words: str) -> dict[str, Excerpt]:
    """Return the excerpt of a scene in which all of these words match."""
    marks = []
    start = 0
    for word in speech.transcript.split(" "):
        if word.strip(".,").lower() in words:
            marks.append(Mark(start, word.strip(".,")))
        start += len(word) + 1
    return {LEXICAL: Excerpt("", tuple(marks))}


TALK = make_speech((12.0, "A"), (12.5, "Boat."), (20.0, "The"), (20.5, "red"), (21.0, "boat"), (40.0, "boats,"), (41.0, "here"))


def test_the_best_moment_has_most_different_words() -> None:
    moments = find_moments(TALK, None, [LEXICAL], mark(TALK, "red", "boat", "boats"))
    assert moments == [Moment(20.5, Kind.SPOKEN, "red boat"), Moment(12.5, Kind.SPOKEN, "Boat"), Moment(40.0, Kind.SPOKEN, "boats")]


def test_words_within_three_seconds_are_one_moment() -> None:
    assert MAX_PHRASE_S == 3.0
    for pause_s, starts in ((3.0, [20.0]), (3.1, [20.0, 23.1])):
        speech = make_speech((20.0, "Boat"), (20.0 + pause_s, "ahoy"))
        assert sorted(moment.time_s for moment in find_moments(speech, None, [LEXICAL], mark(speech, "boat", "ahoy"))) == starts


def test_a_scene_has_at_most_five_moments_and_the_best_of_each_kind_is_among_them() -> None:
    assert MAX_MOMENTS == 5
    speech = make_speech(*((10.0 + 4 * number, "boat") for number in range(10)))
    excerpts = {**mark(speech, "boat"), ON_SCREEN: Excerpt("", (Mark(0, "Boat"), Mark(9, "boat"), Mark(20, "sale")))}
    person = Appearance(uuid4(), "Ann", 0.9, 11.0, 12.0)
    moments = find_moments(speech, 30.0, [LEXICAL, ON_SCREEN, "clip", PERSON], excerpts, [person])
    assert moments == [
        Moment(10.0, Kind.SPOKEN, "boat"),
        Moment(30.0, Kind.ON_SCREEN, "Boat, sale"),
        Moment(30.0, Kind.SHOWN),
        Moment(11.0, Kind.PEOPLE, "Ann"),
        Moment(14.0, Kind.SPOKEN, "boat"),
    ]


def test_the_channel_with_most_evidence_decides_which_moment_is_best() -> None:
    excerpts = {**mark(TALK, "red"), SHOWN: Excerpt("", (Mark(3, "boat"),))}
    assert find_moments(TALK, 30.0, [SHOWN, LEXICAL], excerpts)[0] == Moment(30.0, Kind.SHOWN, "boat")
    assert find_moments(TALK, 30.0, [LEXICAL, SHOWN], excerpts)[0] == Moment(20.5, Kind.SPOKEN, "red")
    # The channel about the whole video tells nothing about a moment, and a scene may have no image.
    assert find_moments(TALK, None, ["summary", SHOWN, LEXICAL], excerpts) == [Moment(20.5, Kind.SPOKEN, "red")]


def test_what_is_found_by_meaning_begins_with_the_first_word() -> None:
    assert find_moments(TALK, None, ["transcript"], {}) == [Moment(12.0, Kind.SPOKEN)]
    assert find_moments(TALK, None, ["transcript", LEXICAL], mark(TALK, "red")) == [Moment(20.5, Kind.SPOKEN, "red")]


def test_a_scene_found_by_its_title_has_no_moment() -> None:
    assert find_moments(TALK, 30.0, [LEXICAL], {LEXICAL: Excerpt("")}) == []
    assert find_moments(TALK, 30.0, [LEXICAL], {}) == []


def test_words_without_times_count_from_the_start_of_the_scene() -> None:
    for words in ([], TALK.words[1:], [*TALK.words, (50.0, 50.4, "more")], [(12.0, 12.4, "Another")]):
        untimed = SceneSpeech(TALK.start_s, TALK.end_s, TALK.transcript, words)
        assert find_moments(untimed, None, [LEXICAL], mark(TALK, "red", "boat")) == [Moment(10.0, Kind.SPOKEN, "Boat, red")]


def test_marks_of_a_text_that_was_edited_meanwhile_do_not_count() -> None:
    assert find_moments(TALK, None, [LEXICAL], {LEXICAL: Excerpt("", (Mark(0, "Boat"), Mark(900, "boat")))}) == []


def test_a_moment_is_inside_its_scene_and_its_text_is_short() -> None:
    # A word belongs to the scene with its middle.
    speech = make_speech((9.8, "Boat"), *((9.9 + number / 100, "x" * 30) for number in range(9)), (11.0, "boat"))
    assert find_moments(speech, None, [LEXICAL], mark(speech, "boat"))[0].time_s == 10.0
    assert MAX_TEXT_LENGTH == 100
    assert len(find_moments(speech, None, [LEXICAL], mark(speech, "boat"))[0].text) <= 100


def find_hit(api: APIClient, q: str, scene: Scene) -> dict[str, Any]:
    """Return the result of a scene."""
    results = api.get("/v1/search", {"q": q, "join": False}).json()["results"]
    hit: dict[str, Any] = next(hit for hit in results if hit["scene_id"] == str(scene.pk))
    return hit


def set_speech(scene: Scene, text: str, words: list[list[object]], language: str) -> None:
    Scene.objects.filter(pk=scene.pk).update(transcript=text, words=words)
    Video.objects.filter(pk=scene.video_id).update(language=language)
    get_lexical_backend().index([scene.pk])


def test_a_result_has_the_times_of_its_words_and_of_its_image(api: APIClient, owner: User) -> None:
    video = make_video(owner)
    scene = video.scenes.get(index=2)
    hit = find_hit(api, "railway station object", scene)
    assert hit["moments"] == [
        {"time_s": pytest.approx(10.8), "kind": "said", "text": "railway station"},
        {"time_s": 12.5, "kind": "seen", "text": "object"},
    ]
    assert hit["play_from_s"] in [moment["time_s"] for moment in hit["moments"]]
    assert find_hit(api, "railway station", scene)["play_from_s"] == pytest.approx(10.8)


def test_a_listed_scene_has_no_moment_and_plays_from_its_start(api: APIClient, owner: User) -> None:
    hit = find_hit(api, "title:film", make_video(owner).scenes.get(index=2))
    assert (hit["moments"], hit["play_from_s"]) == ([], 10.0)


def test_on_screen_text_is_seen_with_the_image(api: APIClient, owner: User) -> None:
    video = make_video(owner, ["Nothing."])
    video.scenes.update(on_screen_text="Gate 7\nTrains to Köln")
    get_lexical_backend().index(video.list_scene_ids())
    hit = find_hit(api, "koln trains", video.scenes.get())
    assert hit["moments"] == [{"time_s": 2.5, "kind": "onscreen", "text": "Trains, Köln"}]
    assert hit["play_from_s"] == 2.5


def test_the_moment_of_a_person_is_that_of_the_person_who_is_asked_for(api: APIClient, owner: User) -> None:
    library = Library(owner)
    library.add_person("Ben", 1, probability=0.99)
    library.add_person("Ann", 1)
    hit = find_hit(api, "@Ann", library.video.scenes.get(index=1))
    assert [person["name"] for person in hit["people"]] == ["Ben", "Ann"]
    assert hit["moments"] == [{"time_s": 6.0, "kind": "people", "text": "Ann"}]


def test_words_of_an_edited_transcript_keep_their_times(api: APIClient, owner: User) -> None:
    video = make_video(owner)
    scene = video.scenes.get(index=2)
    edit_transcript(owner, video.pk, scene.pk, "The committee discussed the costs of the new railway tunnel.")
    assert find_hit(api, "railway", scene)["play_from_s"] == pytest.approx(10.8)
    # The new word is between its neighbors.
    assert 10.8 < find_hit(api, "tunnel", scene)["play_from_s"] < 11.1
    edit_transcript(owner, video.pk, scene.pk, "Somebody else talks about a zeppelin.")
    hit = find_hit(api, "zeppelin", scene)
    assert (hit["moments"], hit["play_from_s"]) == ([{"time_s": 10.0, "kind": "said", "text": "zeppelin"}], 10.0)


def test_words_in_a_script_without_spaces_have_their_times(api: APIClient, owner: User) -> None:
    scene = make_video(owner, ["x"]).scenes.get()
    text = "我们坐船去北方的海。"
    set_speech(scene, text, [[0.3 * place, 0.3 * place + 0.3, character] for place, character in enumerate(text)], "zh")
    hit = find_hit(api, "北方", scene)
    assert hit["moments"] == [{"time_s": pytest.approx(1.5), "kind": "said", "text": "北方"}]
    # Words of several characters, as some models time them.
    set_speech(scene, text, [[0.0, 1.0, "我们坐船"], [1.0, 3.0, "去北方的海。"]], "zh")
    assert find_hit(api, "北方", scene)["play_from_s"] == 1.0


@pytest.mark.parametrize(("language", "text", "q", "word"), [
    ("ar", "ذهبت أمس إلى المكتبة الكبيرة", "مكتبة", "المكتبة"),
    ("he", "הלכתי אתמול אל הספרייה", "הספרייה", "הספרייה"),
])  # fmt: skip
def test_right_to_left_words_are_in_the_order_of_speech(
    api: APIClient, owner: User, client: Client, language: str, text: str, q: str, word: str
) -> None:
    scene = make_video(owner, ["x"]).scenes.get()
    set_speech(scene, text, [[float(place), place + 0.9, word] for place, word in enumerate(text.split())], language)
    hit = find_hit(api, q, scene)
    assert hit["moments"] == [{"time_s": 3.0, "kind": "said", "text": word}]
    client.force_login(owner)
    page = client.get("/search/", {"q": q}).content.decode()
    assert f"<bdi>{word}</bdi>" in page
    assert "?t=3.00" in page


def test_the_command_shows_where_to_play_and_the_passage(owner: User) -> None:
    make_video(owner, ["Look, a red boat.", "The boat leaves."])
    run = {"owner": "owner@example.org"}
    out = io.StringIO()
    call_command("search", "boat", stdout=out, **run)
    assert "play from 0:0" in out.getvalue()
    assert "said boat" in out.getvalue()
    assert "part of a passage 0:00.0–0:10.0 of 2 scenes" in out.getvalue()
    out = io.StringIO()
    call_command("search", "boat", "--json", "--no-join", stdout=out, **run)
    results = json.loads(out.getvalue())["results"]
    assert {hit["start_s"]: hit["play_from_s"] for hit in results} == {0.0: pytest.approx(0.3), 5.0: pytest.approx(5.1)}
    assert [hit["passage"] for hit in results] == [None, None]
    assert results[0]["moments"][0]["text"] == "boat"


def test_another_owners_words_and_times_are_in_no_moment(api: APIClient, owner: User) -> None:
    make_video(make_user("other@example.org"), ["A very long way to the secret boat."])
    scene = make_video(owner, ["A boat."]).scenes.get()
    results = api.get("/v1/search", {"q": "boat"}).json()["results"]
    assert [(hit["scene_id"], hit["moments"]) for hit in results] == [
        (str(scene.pk), [{"time_s": 0.1, "kind": "said", "text": "boat"}]),
    ]


def test_the_number_of_queries_does_not_grow_with_moments(api: APIClient, owner: User) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            results = api.get("/v1/search", {"q": "boat object", "join": False}).json()["results"]
            assert all(hit["moments"] for hit in results)
        return len(captured)

    make_video(owner, ["A boat."])
    for_one = count_queries()
    make_video(owner, ["A boat, one more boat, and a boat."] * 5)
    assert count_queries() == for_one
