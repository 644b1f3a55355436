"""Changes of words reach OpenSearch through the outbox: once, in order, and without those that it refuses."""

import threading
from datetime import timedelta
from unittest import mock
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.actions.transcripts import edit_transcript
from videos.actions.videos import delete_video
from videos.models import Scene, SearchChange, Video
from videos.search.lexical.base import LexicalQuery, WordChange
from videos.search.lexical.opensearch import bulk
from videos.search.lexical.opensearch.backend import TOO_MANY_PENDING, OpenSearchLexical
from videos.search.lexical.opensearch.bulk import DocumentWrite, Result, describe_obstacle, read_result, split_requests, write_documents
from videos.search.lexical.opensearch.documents import get_documents
from videos.search.lexical.opensearch.drain import TOO_NEW, Drained, build_writes, select_due
from videos.search.lexical.opensearch.index_schema import build_document
from videos.search.lexical.opensearch.outbox import enqueue
from videos.search.lexical.postgres import PostgresLexical

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


def count_documents(backend: OpenSearchLexical) -> int:
    return int(backend.client.count(index=backend.names.alias)["count"])


def find(backend: OpenSearchLexical, owner: User, text: str) -> list[int]:
    """Return the indexes of the scenes that are found, without help of the database."""
    answer = backend.search(LexicalQuery(owner.pk, text, 100))
    assert answer.notices == ()
    return [Scene.objects.get(pk=match.scene_id).index for match in answer.matches["lexical"] if match.is_match]


def test_changes_of_a_scene_are_sent_together_and_only_once(opensearch: OpenSearchLexical, owner: User) -> None:
    video = make_video(owner, ["A boat.", "A hat."])
    edit_transcript(owner, video.pk, video.scenes.get(index=0).pk, "A goat.")
    assert SearchChange.objects.count() == 3
    assert opensearch.drain.run() == Drained(sent=2)
    assert not SearchChange.objects.exists()
    assert opensearch.drain.run() == Drained()
    assert (find(opensearch, owner, "goat"), find(opensearch, owner, "boat")) == ([0], [])


def test_what_is_unchanged_is_not_sent(opensearch: OpenSearchLexical, owner: User) -> None:
    video = make_video(owner, ["A boat.", "A hat."])
    opensearch.drain.run()
    opensearch.index(video.list_scene_ids())
    assert not SearchChange.objects.exists()


def test_deleted_scenes_leave_the_index(opensearch: OpenSearchLexical, owner: User) -> None:
    video, other = make_video(owner, ["A boat."]), make_video(owner, ["A boat."])
    opensearch.drain.run()
    delete_video(video)
    assert find(opensearch, owner, "boat") == [0]
    opensearch.drain.run()
    assert count_documents(opensearch) == 1
    assert find(opensearch, owner, "boat") == [0]
    assert other.scenes.count() == 1


def test_a_document_that_is_left_behind_is_never_an_answer(opensearch: OpenSearchLexical, owner: User) -> None:
    video = make_video(owner, ["A boat."])
    opensearch.drain.run()
    # As after a deletion by hand: nothing is noted for the index.
    Video.objects.filter(pk=video.pk).delete()
    assert count_documents(opensearch) == 1
    assert find(opensearch, owner, "boat") == []


def test_a_library_that_changes_hands_is_found_by_its_new_owner_only(opensearch: OpenSearchLexical, owner: User) -> None:
    video, other = make_video(owner, ["A boat."]), make_user("other@example.org")
    opensearch.drain.run()
    Video.objects.filter(pk=video.pk).update(owner=other)
    Scene.objects.filter(video=video).update(owner=other)
    opensearch.index(video.list_scene_ids())
    assert (find(opensearch, owner, "boat"), find(opensearch, other, "boat")) == ([], [0])
    opensearch.drain.run()
    assert (find(opensearch, owner, "boat"), find(opensearch, other, "boat")) == ([], [0])
    assert count_documents(opensearch) == 1


def test_an_older_request_that_arrives_late_changes_nothing(opensearch: OpenSearchLexical, owner: User) -> None:
    scene = make_video(owner, ["A boat."]).scenes.get()
    (late,) = build_writes(list(SearchChange.objects.all()))
    edit_transcript(owner, scene.video_id, scene.pk, "A goat.")
    opensearch.drain.run()
    (result,) = write_documents(opensearch.client, [opensearch.names.alias], [late], refresh=True)
    assert result.result is Result.SUPERSEDED
    assert find(opensearch, owner, "goat") == [0]


def test_a_refused_document_waits_and_is_given_up_while_others_arrive(
    opensearch: OpenSearchLexical, owner: User, settings: Settings
) -> None:
    settings.MAX_ATTEMPTS = 2
    video = make_video(owner, ["A boat.", "A hat."])
    refused = video.scenes.get(index=0).pk
    with mock.patch.object(
        bulk, "build_document", lambda words: build_document(words) | ({"unknown": "field"} if words.pk == refused else {})
    ):
        assert opensearch.drain.run() == Drained(sent=1, refused=1)
        assert opensearch.drain.run() == Drained()
        SearchChange.objects.update(tries_at=timezone.now() - timedelta(seconds=1))
        assert opensearch.drain.run() == Drained(dead=1)
    change = SearchChange.objects.get()
    assert change.is_dead
    assert "strict_dynamic_mapping_exception" in change.error
    # Its words are found in the database.
    assert (find(opensearch, owner, "boat"), find(opensearch, owner, "hat")) == ([0], [1])
    enqueue([refused])
    assert opensearch.drain.run() == Drained(sent=1)
    assert not SearchChange.objects.exists()


def test_a_database_older_than_the_index_is_reported(opensearch: OpenSearchLexical, owner: User, settings: Settings) -> None:
    settings.MAX_ATTEMPTS = 1
    scene = make_video(owner, ["A boat."]).scenes.get()
    write = DocumentWrite(WordChange(owner.pk, scene.pk), 10**12, scene.lexemes)
    write_documents(opensearch.client, [opensearch.names.alias], [write], refresh=True)
    assert opensearch.drain.run() == Drained(dead=1)
    assert SearchChange.objects.get().error == TOO_NEW


def test_with_too_many_pending_changes_the_database_answers(
    opensearch: OpenSearchLexical, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("videos.search.lexical.opensearch.backend.MAX_PENDING", 2)
    make_video(owner, ["A boat."] * 2)
    assert find(opensearch, owner, "boat") == [0, 1]
    make_video(owner, ["A boat."])
    answer = opensearch.search(LexicalQuery(owner.pk, "boat", 10))
    assert answer.notices == (TOO_MANY_PENDING,)
    assert len(answer.matches["lexical"]) == 3


def test_documents_have_the_routing_of_their_owner(opensearch: OpenSearchLexical, owner: User) -> None:
    scene = make_video(owner, ["A boat."]).scenes.get()
    opensearch.drain.run()
    key = WordChange(owner.pk, scene.pk)
    assert get_documents(opensearch.client, opensearch.names.alias, [key]).keys() == {key}
    assert get_documents(opensearch.client, opensearch.names.alias, []) == {}


@pytest.mark.parametrize(
    ("item", "result"),
    [
        ({"status": 201}, Result.DONE),
        ({"status": 404, "result": "not_found"}, Result.DONE),
        ({"status": 409, "error": {"type": "version_conflict_engine_exception"}}, Result.SUPERSEDED),
        ({"status": 404, "error": {"type": "index_not_found_exception"}}, Result.MOVED),
        ({"status": 403, "error": {"type": "cluster_block_exception"}}, Result.BLOCKED),
        ({"status": 429, "error": {"type": "cluster_block_exception"}}, Result.BLOCKED),
        ({"status": 429, "error": {"type": "rejected_execution_exception"}}, Result.BLOCKED),
        ({"status": 400, "error": {"type": "mapper_parsing_exception", "reason": "x" * 9999}}, Result.REFUSED),
    ],
)
def test_each_item_of_an_answer_is_read(item: dict[str, object], result: Result) -> None:
    written = read_result(DocumentWrite(WordChange(uuid4(), uuid4()), 1, None), item)
    assert written.result is result
    assert len(written.reason) <= 500
    assert bool(describe_obstacle([written])) == (result in (Result.MOVED, Result.BLOCKED))


def test_an_obstacle_names_the_fix() -> None:
    write = DocumentWrite(WordChange(uuid4(), uuid4()), 1, None)
    assert "free some space" in describe_obstacle([read_result(write, {"status": 429, "error": {"type": "cluster_block_exception"}})])
    assert "its load" in describe_obstacle([read_result(write, {"status": 429, "error": {"type": "rejected_execution_exception"}})])
    assert "rebuild" in describe_obstacle([read_result(write, {"status": 404, "error": {"type": "index_not_found_exception"}})])


@pytest.mark.django_db(transaction=True)
def test_two_drains_at_once_share_the_work(opensearch: OpenSearchLexical) -> None:
    owner = make_user()
    make_video(owner, ["A boat."])
    with transaction.atomic():
        held = list(select_due().select_for_update(skip_locked=True))
        assert len(held) == 1
        drained: list[Drained] = []

        def run() -> None:
            drained.append(opensearch.drain.run())
            connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(60)
    assert drained == [Drained()]
    assert opensearch.drain.run() == Drained(sent=1)


def test_a_batch_costs_the_same_queries_however_many_scenes_it_has(
    opensearch: OpenSearchLexical, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # A savepoint and its release, the changes, their words, the record of the documents, those that were given up, and the deletion; then
    # there is nothing more to do.
    for count in (1, 6):
        make_video(owner, ["A boat."] * count)
        with django_assert_num_queries(10):
            opensearch.drain.run()


def test_a_search_costs_the_same_queries_however_many_scenes_match(
    opensearch: OpenSearchLexical, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (2, 9):
        make_video(owner, ["A boat."] * count)
        opensearch.drain.run()
        with CaptureQueriesContext(connection) as queries:
            PostgresLexical().search(LexicalQuery(owner.pk, "boat", 100))
        # The outbox instead of the frequencies; the first search of a process also asks whether the owner's documents are complete.
        with django_assert_num_queries(len(queries) + (count == 2)):
            opensearch.search(LexicalQuery(owner.pk, "boat", 100))


def test_long_documents_are_sent_in_several_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MAX_REQUEST_LENGTH", 10)
    write = DocumentWrite(WordChange(uuid4(), uuid4()), 1, None)
    requests = split_requests([(write, "x" * length) for length in (4, 6, 1, 30, 2)])
    assert [[len(action) for _, action in request] for request in requests] == [[4, 6], [1], [30], [2]]
    assert split_requests([]) == []
