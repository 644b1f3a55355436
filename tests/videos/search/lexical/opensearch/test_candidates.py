"""OpenSearch and PostgreSQL give one ranking, whatever restricts a search, and OpenSearch is asked for what can answer."""

from collections.abc import Sequence
from unittest import mock
from uuid import UUID

import pytest

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.models import Scene, Video
from videos.search.lexical.base import LexicalAnswer, LexicalQuery
from videos.search.lexical.fields import SPOKEN, Lookup
from videos.search.lexical.opensearch import candidates
from videos.search.lexical.opensearch.backend import OpenSearchLexical
from videos.search.lexical.opensearch.candidates import build_any_form, build_score, split_forms
from videos.search.lexical.opensearch.index_schema import iter_tokens
from videos.search.lexical.postgres import PostgresLexical

TALKS = (
    ["The boat sailed to the harbor.", "A boat, a boat!", "Nothing.", "The harbor master speaks about boats.", "東京バナナは美味しい。"],
    ["Das Dampfschiff legt ab.", "Der Kapitän schläft.", "It's node.js and C++ here.", "Ein Schiff im Hafen.", "小犬が走る。"],
    ["Boats and trains.", "The train to the harbor.", "A hat.", "The last boat."],
)
QUERIES = (
    "boat",
    "harbor boats",
    "train harbot",
    "Schiff",
    "東京",
    "犬",
    "node.js",
    "C++",
    "it's",
    "boat -harbor",
    '"a boat"',
    "zeppelin",
    "the",
)


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


def compare(backend: OpenSearchLexical, query: LexicalQuery) -> LexicalAnswer:
    """Return an answer, which is the one of PostgreSQL, scores included."""
    answer = backend.search(query)
    assert answer == PostgresLexical().search(query)
    return answer


def fill(owner: User) -> list[Video]:
    videos = [make_video(owner, talk, title=f"Boats {number}") for number, talk in enumerate(TALKS)]
    other = make_user("other@example.org")
    for talk in TALKS:
        make_video(other, talk)
    return videos


@pytest.mark.parametrize("is_sent", [True, False], ids=["sent", "half of it pending"])
def test_both_backends_give_one_ranking(opensearch: OpenSearchLexical, owner: User, is_sent: bool) -> None:
    videos = fill(owner)
    opensearch.drain.run()
    if not is_sent:
        Video.objects.filter(pk=videos[1].pk).update(title="A harbor", language="de")
        opensearch.index([scene_id for video in videos for scene_id in video.list_scene_ids()])
    scenes = Scene.objects.filter_searchable(owner.pk)
    for text in QUERIES:
        compare(opensearch, LexicalQuery(owner.pk, text, 100))
        compare(opensearch, LexicalQuery(owner.pk, text, 3))
        compare(opensearch, LexicalQuery(owner.pk, text, 100, video_id=videos[0].pk))
        compare(opensearch, LexicalQuery(owner.pk, text, 100, scenes=scenes.filter(index__gt=1)))
    assert len(compare(opensearch, LexicalQuery(owner.pk, "boat", 100)).matches["lexical"]) > 5


@pytest.mark.parametrize("max_restricted", [10_000, 2], ids=["ids are sent", "pages are read"])
def test_few_allowed_scenes_are_found_among_many_matches(
    opensearch: OpenSearchLexical, owner: User, monkeypatch: pytest.MonkeyPatch, max_restricted: int
) -> None:
    monkeypatch.setattr(candidates, "MAX_RESTRICTED", max_restricted)
    monkeypatch.setattr(candidates, "MAX_CANDIDATES", 4)
    videos = [make_video(owner, ["A boat."] * 4) for _ in range(5)]
    opensearch.drain.run()
    last = max(videos, key=lambda video: video.pk)
    allowed = Scene.objects.filter_searchable(owner.pk).filter(video=last, index__gt=0)
    matches = opensearch.search(LexicalQuery(owner.pk, "boat", 100, scenes=allowed)).matches["lexical"]
    assert {match.scene_id for match in matches if match.is_match} == set(allowed.values_list("pk", flat=True))


def test_pages_end_where_the_limit_of_pages_is(opensearch: OpenSearchLexical, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "MAX_RESTRICTED", 0)
    monkeypatch.setattr(candidates, "MAX_CANDIDATES", 2)
    monkeypatch.setattr(candidates, "MAX_PAGES", 2)
    make_video(owner, ["A boat."] * 6)
    opensearch.drain.run()
    with mock.patch.object(opensearch.client, "search", wraps=opensearch.client.search) as search:
        opensearch.search(LexicalQuery(owner.pk, "boat", 100, scenes=Scene.objects.filter(owner=owner, index=5)))
    # One for the frequencies, and two pages: only speech holds the word.
    assert search.call_count == 3


def test_another_owner_with_the_same_key_is_not_found(opensearch: OpenSearchLexical, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def get_one_key(owner_id: UUID) -> str:
        return "a" * 10

    for module in ("word_analysis", "ranking", "query_words"):
        monkeypatch.setattr(f"videos.search.lexical.{module}.get_owner_key", get_one_key)
    make_video(owner, ["A boat."])
    other = make_user("other@example.org")
    make_video(other, ["A boat."])
    opensearch.drain.run()
    matches = opensearch.search(LexicalQuery(owner.pk, "boat", 10)).matches["lexical"]
    assert [Scene.objects.get(pk=match.scene_id).owner_id for match in matches] == [owner.pk]


@pytest.mark.parametrize(
    ("lexemes", "words", "prefixes"),
    [
        (["'kboat'", "'k~boat'"], ["kboat", "k~boat"], []),
        (["'k犬':*"], [], ["k犬"]),
        (["'kit''s'", "'ka\\\\b'"], ["kit's", "ka\\b"], []),
    ],
)
def test_quoted_lexemes_become_words_and_prefixes(lexemes: Sequence[str], words: list[str], prefixes: list[str]) -> None:
    assert split_forms(lexemes) == (words, prefixes)


def test_words_score_by_bm25_and_related_ones_by_half_their_rarity() -> None:
    lookup = Lookup(("'kboat'",), ("'kship'", "'k~ship'"))
    assert build_any_form(SPOKEN, lookup) == {"terms": {"spoken": ["kboat", "kship", "k~ship"]}}
    related = {"constant_score": {"filter": {"terms": {"spoken": ["kship", "k~ship"]}}, "boost": 1.5}}
    assert build_score(SPOKEN, lookup, 3.0) == {"dis_max": {"queries": [{"term": {"spoken": "kboat"}}, related]}}
    prefix = {"bool": {"should": [{"prefix": {"spoken": "k犬"}}]}}
    assert build_score(SPOKEN, Lookup(("'k犬':*",)), 3.0) == {
        "dis_max": {"queries": [{"constant_score": {"filter": prefix, "boost": 3.0}}]}
    }


def test_a_document_repeats_a_lexeme_as_often_as_it_has_positions() -> None:
    assert list(iter_tokens("'kboat':1,4 'k~boat':1,4 'kit''s':2 'ka\\\\b':3")) == ["kboat"] * 2 + ["k~boat"] * 2 + ["kit's", "ka\\b"]
    assert list(iter_tokens("")) == []
