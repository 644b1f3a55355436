"""The search page."""

import html
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from heimdex.accounts.models import User
from heimdex.backends import get_text_embedder
from heimdex.storage import get_media_storage
from tests.library import make_image, make_video
from tests.videos.pages.conftest import extract_text, read
from videos.channels import LEXICAL, ON_SCREEN, PERSON, find_channel, list_text_channels
from videos.models import ActiveSpace, EmbeddingSpace, Scene, SceneEmbedding, Video
from videos.pages.search import PER_PAGE


def _activate_space(owner: User, model: str) -> EmbeddingSpace:
    """Activate a transcript space that was filled by `model`, for the owner's search."""
    identity = get_text_embedder().identity
    record = {
        "alias": "text",
        "backend": identity.backend,
        "model": model,
        "revision": identity.revision,
        "dimensions": identity.dimensions,
    }
    space = EmbeddingSpace.objects.create(
        channel="transcript", fingerprint=model, step="scene_text", spec_version="test", embedder=record, dimensions=identity.dimensions
    )
    ActiveSpace.objects.create(owner=owner, channel="transcript", space=space)
    return space


def test_a_result_shows_its_scene_its_time_and_the_reasons(browser: Client, owner: User) -> None:
    video = make_video(owner, title="At sea")
    scene = video.scenes.get(index=2)
    get_media_storage().save(scene.thumbnail_key, make_image(2), "image/jpeg")

    page = read(browser, "/search/?q=railway+station")
    text = extract_text(page)

    assert re.search(r"\d results? for “railway station”", text)
    assert f'<a href="/videos/{video.pk}/?t=10.80">At sea, 0:10 – 0:15</a>' in page
    assert "At: 0:10 in result 1 said railway station" in text
    assert "<p>The committee discussed the budget for the new <mark>railway</mark> <mark>station</mark>." in page
    assert "Speech: The committee discussed the budget for the new railway station." in text
    assert re.search(r"Likely match \([23]\d%\) in words Scores", text)
    assert re.search(r"Channel Rank Score words 1 \d\.\d{3} all combined 1 \d\.\d{4}", text)
    assert b"".join(browser.get(re.findall(r'<img src="([^"]+)"', page)[0])) == make_image(2)
    assert 'value="railway station"' in page
    assert "<title>railway station – Search – Heimdex</title>" in page


@pytest.mark.slow
@pytest.mark.usefixtures("packaged_models")
def test_a_match_by_meaning_is_labeled(browser: Client, owner: User) -> None:
    video = make_video(owner)
    space = _activate_space(owner, get_text_embedder().identity.model)
    spoken = list(video.scenes.exclude(transcript="").order_by("index"))
    for scene, vector in zip(spoken, get_text_embedder().embed_documents([scene.transcript for scene in spoken]), strict=True):
        SceneEmbedding.objects.create(scene=scene, space=space, owner=owner, state="embedded", vector=vector)

    text = extract_text(read(browser, "/search/?q=growing+vegetables"))

    assert "She planted tomatoes and basil" in text
    assert re.search(r"match \(\d+%\) in speech Scores.* speech 1 0\.\d{3} all combined 1", text)
    assert not re.search(r"match \(\d+%\) in words", text)


def test_every_channel_has_a_label() -> None:
    channels = [find_channel(name) for name in (*list_text_channels(), PERSON, LEXICAL, ON_SCREEN)]
    assert len(channels) == 7
    assert all(channel and channel.label for channel in channels)


def test_an_omitted_channel_is_reported(browser: Client, owner: User) -> None:
    make_video(owner)
    _activate_space(owner, "a model of the past")

    text = extract_text(read(browser, "/search/?q=boat"))

    assert "The transcript channel was left out:" in text
    assert "a model of the past" in text
    assert re.search(r"\d results? for “boat”", text)


def find_link(page: str, relation: str) -> str:
    """Return the URL of the link to another page of results."""
    match = re.search(rf'rel="{relation}" href="([^"]+)"', page)
    assert match
    return html.unescape(match[1])


def test_many_results_are_paginated(browser: Client, owner: User) -> None:
    for number in range(27):
        make_video(owner, sayings=["A boat."], title=f"Film {number}")

    first = read(browser, "/search/?q=boat")
    second = read(browser, "/search/" + find_link(first, "next"))

    assert "27 results for “boat”" in extract_text(first)
    assert f"1 – {PER_PAGE} of 27" in extract_text(first)
    assert f'<ol class="scenes" start="{PER_PAGE + 1}">' in second
    assert f"{PER_PAGE + 1} – 27 of 27" in extract_text(second)
    assert extract_text(read(browser, "/search/" + find_link(second, "prev"))) == extract_text(first)
    links = re.findall(r'<h3><a href="(/videos/[^"]+t=[^"]+)"', first + second)
    assert len(links) == len(set(links)) == 27


def test_a_result_links_to_its_moments_and_shows_its_passage(browser: Client, owner: User) -> None:
    video = make_video(owner, sayings=["Look, a red boat.", "The red boat leaves."])

    page = read(browser, "/search/?q=red+boat")
    text = extract_text(page)

    assert "1 result for “red boat”" in text
    assert "said red boat" in text
    assert f'Passage:</span> <a href="/videos/{video.pk}/?t=0.00">0:00 – 0:10</a>, 2 scenes' in page
    starts = re.findall(rf'href="/videos/{video.pk}/\?t=([\d.]+)">', page)
    # The title and the moment of the best scene, and the start of the passage.
    assert starts in (["0.20", "0.20", "0.00"], ["5.10", "5.10", "0.00"])


def test_an_empty_search_and_an_empty_result_show_hints(browser: Client, owner: User) -> None:
    make_video(owner)

    nothing = extract_text(read(browser, "/search/?q=zebra"))
    assert "No scene matches “zebra”" in nothing
    assert "Use quotation marks for an exact phrase" in nothing
    for path in ("/search/", "/search/?q=", "/search/?q=%20"):
        asked = extract_text(read(browser, path))
        assert "Find a scene" in asked
        assert "No scene matches" not in asked


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("q=" + "x" * 1001, "at most 1000 characters"),
        ("q=a%00b", "Query: Null characters are not allowed"),
        ("q=a&cursor=7", "Page: This is not the cursor of an answer to this search"),
        ("q=before:soon", "Query: Character 1: &#x27;soon&#x27; is no day. Write a day such as 2026-01-31"),
    ],
)
def test_an_invalid_query_is_explained(browser: Client, query: str, problem: str) -> None:
    answer = browser.get(f"/search/?{query}")

    assert answer.status_code == 400
    page = answer.content.decode()
    assert problem in page
    # A screen reader reads the problem with the field.
    assert 'aria-invalid="true" aria-describedby="search-errors"' in page
    assert '<div id="search-errors">' in page


@pytest.mark.parametrize("query", ['"', "-", "'", "%", "a & b | !c:*", "🚀", "日本語"])
def test_any_characters_can_be_searched(browser: Client, owner: User, query: str) -> None:
    make_video(owner)

    assert browser.get("/search/", {"q": query}).status_code == 200


def test_speech_and_queries_are_escaped(browser: Client, owner: User) -> None:
    evil = "<script>alert(1)</script> boat"
    video = make_video(owner, sayings=[evil], title=evil)
    Scene.objects.filter(video=video).update(description=evil)

    page = browser.get("/search/", {"q": evil}).content.decode()

    assert "<mark>boat</mark>" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_a_video_that_is_not_ready_is_not_found(browser: Client, owner: User) -> None:
    video = make_video(owner)
    Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING)

    assert "No scene matches" in read(browser, "/search/?q=boat")


def test_the_number_of_queries_does_not_grow_with_the_results(browser: Client, owner: User) -> None:
    make_video(owner, sayings=["A boat."])
    with CaptureQueriesContext(connection) as for_one:
        read(browser, "/search/?q=boat")
    for _ in range(4):
        make_video(owner, sayings=["A boat."])
    with CaptureQueriesContext(connection) as for_five:
        read(browser, "/search/?q=boat")

    assert "5 results" in extract_text(read(browser, "/search/?q=boat"))
    assert len(for_one) == len(for_five)
