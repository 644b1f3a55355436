"""Phrases and words restrict scenes exactly, in one field or several, and never those of another owner."""

from collections.abc import Collection

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.models import Scene, Video
from videos.search.lexical.handler import get_lexical_backend
from videos.search.parsed_query import ON_SCREEN, SHOWN, SPOKEN, TITLE
from videos.search.word_conditions import FIELDS, contains_phrase, contains_word

pytestmark = pytest.mark.django_db

TEXTS = [
    "The mice of the railway station can't sail.",
    "Station of the railway, with node.js and C++.",
    "東京バナナは美味しい",
    "회의를 시작합니다",
    "Herr Schlüter ging zur Straße.",
]


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def video(owner: User) -> Video:
    video = make_video(owner, TEXTS, title="Harbor diary")
    video.scenes.update(visual_text="")
    video.scenes.filter(index=1).update(visual_text="Likely shows: boats.", on_screen_text="Closed on Mondays")
    get_lexical_backend().index(video.list_scene_ids())
    return video


def find(condition: Q) -> list[int]:
    """Return the indexes of the scenes that meet a condition."""
    return list(Scene.objects.filter(condition).order_by("index").values_list("index", flat=True))


@pytest.mark.parametrize(
    ("phrase", "indexes"),
    [
        ("railway station", [0]),
        ("RAILWAY  Station", [0]),
        ("station railway", []),
        ("railway stations", []),
        ("mouse", []),
        ("the railway station can't", [0]),
        ("the station can't", []),
        ("node.js", [1]),
        ("js node", []),
        ("C++", [1]),
        ("C", []),
        ("京バナ", [2]),
        ("東京美味", []),
        ("京", [2]),
        ("회의를", [3]),
        ("herr schlueter ging", [4]),
        ("Schluter ging zur strasse", [4]),
        ("closed on mondays", [1]),
        ("harbor diary", [0, 1, 2, 3, 4]),
        ("can't sail station", []),
        ("…", []),
        ("", []),
    ],
)
def test_a_phrase_matches_word_for_word(owner: User, video: Video, phrase: str, indexes: list[int]) -> None:
    assert find(contains_phrase(owner.pk, phrase)) == indexes
    assert find(~contains_phrase(owner.pk, phrase)) == [index for index in range(5) if index not in indexes]


@pytest.mark.parametrize(
    ("word", "languages", "indexes"),
    [
        ("mouse", ["en"], [0]),
        ("stations", ["en"], [0, 1]),
        ("sailing", ["en"], [0]),
        ("boat", ["en"], [1]),
        ("boat", [], [1]),
        ("node.js", ["en"], [1]),
        ("東京", ["ja"], [2]),
        ("회의", ["ko"], [3]),
        ("Strassen", ["de"], [4]),
        ("schlueter", ["en", "de"], [4]),
        ("harbors", ["en"], [0, 1, 2, 3, 4]),
        ("-", ["en"], []),
    ],
)
def test_a_word_matches_in_any_form(owner: User, video: Video, word: str, languages: list[str], indexes: list[int]) -> None:
    assert find(contains_word(owner.pk, word, languages=languages)) == indexes
    assert find(~contains_word(owner.pk, word, languages=languages)) == [index for index in range(5) if index not in indexes]


@pytest.mark.parametrize(
    ("word", "fields", "indexes"),
    [
        ("boat", [SHOWN], [1]),
        ("boat", [SPOKEN, ON_SCREEN, TITLE], []),
        ("monday", [ON_SCREEN], [1]),
        ("monday", [SPOKEN, SHOWN, TITLE], []),
        ("railway", [SPOKEN], [0, 1]),
        ("railway", [SHOWN, ON_SCREEN, TITLE], []),
        ("harbor", [TITLE], [0, 1, 2, 3, 4]),
        ("harbor", [SPOKEN, SHOWN, ON_SCREEN], []),
        ("harbor", [], []),
    ],
)
def test_only_the_chosen_fields_count(owner: User, video: Video, word: str, fields: Collection[str], indexes: list[int]) -> None:
    assert find(contains_word(owner.pk, word, fields, ["en"])) == indexes


def test_a_phrase_does_not_cross_fields_or_scenes(owner: User, video: Video) -> None:
    assert find(contains_phrase(owner.pk, "node.js and C++ Closed")) == []
    assert find(contains_phrase(owner.pk, "can't sail Station of")) == []


def test_the_words_of_another_owner_neither_match_nor_exclude(owner: User, video: Video) -> None:
    other = make_user("other@example.org")
    make_video(other, ["A giraffe."], title="Giraffes")
    assert find(contains_word(owner.pk, "giraffe")) == []
    assert find(contains_phrase(owner.pk, "A giraffe")) == []
    assert find(contains_word(other.pk, "railway", FIELDS, ["en"])) == []


def test_conditions_are_a_part_of_the_one_statement(owner: User, video: Video) -> None:
    condition = contains_word(owner.pk, "railway", languages=["en"]) & ~contains_phrase(owner.pk, "railway station")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert find(condition) == [1]
    assert len(queries) == 1
