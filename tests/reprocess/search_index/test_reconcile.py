"""`manage.py reconcile` compares the search index with the database, and never takes an index that it cannot see for a clean one."""

from unittest import mock

import pytest
from pytest_django import Settings

from heimdex.accounts.models import User
from tests.library import make_user
from tests.opensearch.server import OpenSearchServer
from tests.reprocess.reconcile.conftest import IssueCounts, count_issues, reconcile
from tests.reprocess.search_index.documents import make_old_video, start, work
from videos.actions.transcripts import edit_transcript
from videos.models import Scene, SceneWords, SearchChange, Video
from videos.search.lexical.opensearch import documents
from videos.search.lexical.opensearch.backend import OpenSearchLexical

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]
OF_INDEX = ("missing_documents", "outdated_documents", "orphaned_documents", "refused_documents", "unchecked_search_index")


@pytest.fixture
def other(film: Video) -> User:
    """Return another owner. The videos of both are in the index."""
    owner = make_user("other@example.org")
    make_old_video(owner, ["A ship."])
    work(start())
    return owner


def count_documents_issues(*args: str, what: str = "found") -> IssueCounts:
    return {name: count for name, count in count_issues(*args, what=what).items() if name in OF_INDEX}


def read_examples(name: str) -> list[str]:
    [check] = [check for check in reconcile()[1]["checks"] if check["name"] == name]
    examples: list[str] = check["examples"]
    return examples


def damage(backend: OpenSearchLexical, film: Video) -> None:
    """Lose a document, keep an older one, and add one of no scene, all behind the back of the database."""
    lost, older, deleted = film.list_scene_ids()
    write = {"refresh": "true", "routing": str(film.owner_id)}
    backend.client.delete(index=backend.names.alias, id=str(lost), params=write)
    SceneWords.objects.filter(pk=older).update(text_hash="0" * 32)
    Scene.objects.filter(pk=deleted).delete()


def test_what_differs_is_found_and_repaired(backend: OpenSearchLexical, film: Video, other: User) -> None:
    assert count_documents_issues() == {}
    damage(backend, film)
    expected = {"missing_documents": 1, "outdated_documents": 1, "orphaned_documents": 1}
    assert count_documents_issues() == expected
    assert count_documents_issues("--owner", other.email) == {}
    assert count_documents_issues("--repair", what="left") == {}
    # It is on its way.
    assert count_documents_issues() == {}
    backend.drain.run()
    assert backend.verifier.verify().is_clean


def test_an_index_that_is_away_is_not_clean(
    backend: OpenSearchLexical, film: Video, other: User, opensearch_server: OpenSearchServer
) -> None:
    with opensearch_server.stopped():
        assert count_documents_issues("--repair", what="left") == {"unchecked_search_index": 1}
        assert "cannot be reached" in read_examples("unchecked_search_index")[0]
        assert reconcile()[0] == 3
    assert count_documents_issues() == {}
    backend.client.indices.delete(index=backend.names.pattern)
    assert count_documents_issues() == {"unchecked_search_index": 1}
    assert "search_index rebuild" in read_examples("unchecked_search_index")[0]
    backend.rebuild.run()
    assert count_documents_issues() == {}


def test_nothing_is_deleted_when_the_server_has_not_returned_everything(backend: OpenSearchLexical, film: Video, other: User) -> None:
    damage(backend, film)
    with mock.patch.object(documents, "is_whole_answer", return_value=False):
        counts = count_documents_issues("--repair")
    assert counts.pop("unchecked_search_index") == 1
    assert "orphaned_documents" not in counts
    backend.drain.run()
    assert count_documents_issues() == {"orphaned_documents": 1}


def test_changes_that_were_given_up_are_tried_again(backend: OpenSearchLexical, film: Video, other: User, settings: Settings) -> None:
    edit_transcript(film.owner, film.pk, film.scenes.get(index=0).pk, "A whale.")
    SearchChange.objects.update(is_dead=True, attempts=settings.MAX_ATTEMPTS, error="no such field")
    assert count_documents_issues() == {"refused_documents": 1}
    assert "no such field" in read_examples("refused_documents")[0]
    assert count_documents_issues("--owner", other.email) == {}
    assert count_documents_issues("--repair", what="left") == {}
    backend.drain.run()
    assert backend.verifier.verify().is_clean
    assert not SearchChange.objects.exists()


def test_without_an_index_there_is_nothing_to_check(film: Video, settings: Settings) -> None:
    settings.LEXICAL_BACKENDS = {"default": {"BACKEND": "videos.search.lexical.postgres.PostgresLexical"}}
    assert count_documents_issues() == {}
