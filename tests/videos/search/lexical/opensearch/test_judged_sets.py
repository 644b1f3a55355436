"""On a judged set, both backends answer alike: the same scenes in the same order, with the same scores."""

from collections.abc import Mapping, Sequence

import pytest

from bench.benchmark import BenchmarkUnavailable
from bench.judged_library import make_video
from bench.judged_sets import JudgedSet, find_folder, load_meetings, load_sentences
from heimdex.accounts.models import User
from tests.library import make_user
from videos.models import Video
from videos.search.lexical.base import LexicalMatch, LexicalQuery
from videos.search.lexical.opensearch.backend import OpenSearchLexical
from videos.search.lexical.postgres import PostgresLexical

pytestmark = pytest.mark.django_db

LIMIT = 100


@pytest.fixture(scope="session")
def sets() -> Mapping[str, JudgedSet]:
    """Return a set of long meetings, and sets of other languages. Skip the tests where the judged sets are not."""
    try:
        folder = find_folder()
    except BenchmarkUnavailable as error:
        pytest.skip(str(error))
    return {"A": load_meetings(folder), **{language: load_sentences(folder, language, language) for language in ("de", "ja")}}


def load(owner: User, judged: JudgedSet) -> dict[str, Video]:
    return {film.title: make_video(owner, film, {})[0] for film in judged.films}


def search(backend: PostgresLexical, query: LexicalQuery) -> Mapping[str, Sequence[LexicalMatch]]:
    answer = backend.search(query)
    assert answer.notices == ()
    return answer.matches


@pytest.mark.parametrize("name", ["A", "de", "ja"])
def test_the_queries_of_a_judged_set_have_the_same_ranks_on_both_backends(
    opensearch: OpenSearchLexical, sets: Mapping[str, JudgedSet], name: str
) -> None:
    owner, judged = make_user(), sets[name]
    videos = load(owner, judged)
    opensearch.rebuild.run()
    opensearch.drain.run()
    assert opensearch.verifier.verify().is_clean
    answered = 0
    for query in judged.queries:
        for video_id in {None, videos[query.film].pk if query.film else None}:
            asked = LexicalQuery(owner.pk, query.text, LIMIT, video_id)
            expected = search(PostgresLexical(), asked)
            assert search(opensearch, asked) == expected, query.text
            answered += any(expected.values())
    # A comparison of empty answers would prove nothing.
    assert answered > len(judged.queries) / 2
