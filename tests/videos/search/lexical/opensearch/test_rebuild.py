"""A new index is built beside the one that is searched, and replaces it in one step, whatever happens meanwhile."""

import threading
from collections.abc import Callable
from unittest import mock

import pytest
from django.db import connection
from opensearchpy import OpenSearch

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from tests.opensearch.backends import create_index
from videos.actions.transcripts import edit_transcript
from videos.actions.videos import delete_video
from videos.models import SearchChange, Video
from videos.search.lexical.base import LexicalQuery
from videos.search.lexical.opensearch import bulk, rebuild
from videos.search.lexical.opensearch.backend import OpenSearchLexical
from videos.search.lexical.opensearch.connection import SearchServerAway
from videos.search.lexical.opensearch.index_schema import build_document
from videos.search.lexical.opensearch.rebuild import RebuildRefused
from videos.search.lexical.opensearch.verify import DifferenceKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


def list_indexes(backend: OpenSearchLexical) -> list[str]:
    return [index.name for index in backend.read_state().indexes]


def forget_changes() -> None:
    """Lose the outbox, as an installation that has searched in PostgreSQL until now never had one."""
    SearchChange.objects.all().delete()


def test_a_rebuild_indexes_what_the_database_has_and_replaces_the_old_index(opensearch: OpenSearchLexical, owner: User) -> None:
    make_video(owner, ["A boat.", "A hat."])
    make_video(make_user("other@example.org"), ["A boat."])
    forget_changes()
    before = list_indexes(opensearch)
    progress: list[int] = []
    rebuilt = opensearch.rebuild.run(progress.append)
    assert (rebuilt.documents, rebuilt.refused, progress) == (3, 0, [3])
    assert list_indexes(opensearch) == [rebuilt.name] != before
    assert opensearch.read_state().building is None
    assert opensearch.verifier.verify().is_clean
    answer = opensearch.search(LexicalQuery(owner.pk, "boat", 10))
    assert (len(answer.matches["lexical"]), answer.notices) == (2, ())


def test_an_index_that_was_deleted_by_hand_is_built_again(opensearch: OpenSearchLexical, owner: User) -> None:
    make_video(owner, ["A boat."])
    opensearch.drain.run()
    opensearch.client.indices.delete(index=",".join(list_indexes(opensearch)))
    assert "search_index rebuild" in opensearch.health()
    with pytest.raises(SearchServerAway, match="search_index rebuild"):
        opensearch.verifier.verify()
    assert opensearch.rebuild.run().documents == 1
    assert opensearch.health() == ""


def test_changes_during_a_rebuild_are_in_the_new_index(opensearch: OpenSearchLexical, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer wins in both orders: its change is sent before or after the document of the rebuild."""
    edited, deleted, late = (make_video(owner, [f"A boat number {number}."]) for number in range(3))
    opensearch.drain.run()

    def change_and_write(client: OpenSearch, aliases: list[str], writes: list[bulk.DocumentWrite], *, refresh: bool) -> object:
        edit_transcript(owner, edited.pk, edited.scenes.get().pk, "A goat.")
        delete_video(Video.objects.get(pk=deleted.pk))
        make_video(owner, ["A new hat."])
        opensearch.drain.run()
        results = bulk.write_documents(client, aliases, writes, refresh=refresh)
        edit_transcript(owner, late.pk, late.scenes.get().pk, "A zeppelin.")
        return results

    monkeypatch.setattr(rebuild, "write_documents", change_and_write)
    opensearch.rebuild.run()
    opensearch.drain.run()
    result = opensearch.verifier.verify()
    assert result.is_clean, result
    assert (result.rows, result.documents) == (3, 3)


def test_what_a_killed_rebuild_has_left_is_deleted_by_the_next(opensearch: OpenSearchLexical, owner: User) -> None:
    make_video(owner, ["A boat."])
    with mock.patch.object(rebuild.Rebuild, "switch", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        opensearch.rebuild.run()
    assert len(list_indexes(opensearch)) == 2
    # Until then, changes go to both.
    opensearch.drain.run()
    assert opensearch.verifier.verify().is_clean
    rebuilt = opensearch.rebuild.run()
    assert list_indexes(opensearch) == [rebuilt.name]


@pytest.mark.django_db(transaction=True)
def test_a_second_rebuild_at_the_same_time_is_refused(opensearch: OpenSearchLexical) -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    def rebuild_slowly() -> None:
        opensearch.rebuild.run(on_progress=wait)
        connection.close()

    def wait(count: int) -> None:
        has_begun.set()
        may_end.wait(60)

    make_video(make_user(), ["A boat."])
    thread = threading.Thread(target=rebuild_slowly)
    thread.start()
    try:
        assert has_begun.wait(60)
        with pytest.raises(RebuildRefused, match="Another process"):
            opensearch.rebuild.run()
        assert len(list_indexes(opensearch)) == 2
    finally:
        may_end.set()
        thread.join(60)
    assert len(list_indexes(opensearch)) == 1
    assert opensearch.verifier.verify().is_clean


def test_a_rebuild_that_another_one_has_overtaken_does_not_switch(opensearch: OpenSearchLexical, owner: User) -> None:
    make_video(owner, ["A boat."])
    fill = rebuild.Rebuild._fill

    def be_overtaken(self: rebuild.Rebuild, on_progress: Callable[[int], None]) -> object:
        # Its lock went with its connection to the database.
        with mock.patch.object(rebuild.Rebuild, "_fill", fill):
            rebuild.Rebuild(opensearch.connection, opensearch.client, opensearch.names).create()
        return fill(self, on_progress)

    with mock.patch.object(rebuild.Rebuild, "_fill", be_overtaken), pytest.raises((RebuildRefused, SearchServerAway)):
        opensearch.rebuild.run()
    searched = opensearch.read_state().searched
    assert searched
    assert searched.name.endswith("empty")


def test_documents_that_the_server_refuses_are_tried_again_later(opensearch: OpenSearchLexical, owner: User) -> None:
    scene_ids = make_video(owner, ["A boat.", "A hat."]).list_scene_ids()
    forget_changes()
    with mock.patch.object(
        bulk, "build_document", lambda words: build_document(words) | ({"unknown": 1} if words.pk == scene_ids[0] else {})
    ):
        rebuilt = opensearch.rebuild.run()
    assert (rebuilt.documents, rebuilt.refused) == (1, 1)
    assert SearchChange.objects.get().scene_id == scene_ids[0]
    opensearch.drain.run()
    assert opensearch.verifier.verify().is_clean


def test_an_index_that_refuses_everything_does_not_replace_a_working_one(opensearch: OpenSearchLexical, owner: User) -> None:
    make_video(owner, ["A boat."])
    opensearch.drain.run()
    before = opensearch.read_state().searched
    with (
        mock.patch.object(bulk, "build_document", lambda words: build_document(words) | {"unknown": 1}),
        pytest.raises(RebuildRefused, match="strict_dynamic_mapping_exception"),
    ):
        opensearch.rebuild.run()
    assert opensearch.read_state().searched == before


def test_verify_names_what_is_missing_outdated_and_orphaned_and_repairs_it(opensearch: OpenSearchLexical, owner: User) -> None:
    missing, outdated, orphaned, other = (make_video(owner, [f"Number {number}."]).scenes.get() for number in range(4))
    foreign = make_video(make_user("other@example.org"), ["A boat."]).scenes.get()
    opensearch.drain.run()
    params = {"routing": str(owner.pk), "refresh": "true"}
    opensearch.client.delete(index=opensearch.names.alias, id=str(missing.pk), params=params)
    edit_transcript(owner, outdated.video_id, outdated.pk, "Another text.")
    Video.objects.filter(pk=orphaned.video_id).delete()
    forget_changes()
    # A change on its way is no difference.
    edit_transcript(owner, other.video_id, other.pk, "A third text.")
    result = opensearch.verifier.verify(owner.pk)
    assert {difference.key.scene_id: difference.kind for difference in result.differences} == {
        missing.pk: DifferenceKind.MISSING,
        outdated.pk: DifferenceKind.OUTDATED,
        orphaned.pk: DifferenceKind.ORPHANED,
    }
    assert (result.rows, result.documents, result.pending) == (3, 3, 1)
    assert len(opensearch.verifier.verify().differences) == 3
    assert opensearch.verifier.repair(result.differences) == 3
    opensearch.drain.run()
    assert opensearch.verifier.verify().is_clean
    assert opensearch.verifier.verify().documents == 4
    assert foreign.pk


def test_nothing_is_an_orphan_unless_all_documents_were_read(opensearch: OpenSearchLexical, owner: User) -> None:
    orphaned, missing = (make_video(owner, ["A boat."]).scenes.get() for _ in range(2))
    opensearch.drain.run()
    Video.objects.filter(pk=orphaned.video_id).delete()
    params = {"routing": str(owner.pk), "refresh": "true"}
    opensearch.client.delete(index=opensearch.names.alias, id=str(missing.pk), params=params)
    search = opensearch.client.search

    def search_in_part(**options: object) -> object:
        answer = search(**options)
        answer["_shards"]["failed"] = 1
        return answer

    with mock.patch.object(opensearch.client, "search", search_in_part):
        result = opensearch.verifier.verify()
    assert not result.is_complete
    assert not result.is_clean
    assert [difference.kind for difference in result.differences] == [DifferenceKind.MISSING]
    opensearch.verifier.repair(result.differences)
    assert list(SearchChange.objects.values_list("scene_id", flat=True)) == [missing.pk]


def test_an_index_of_a_newer_release_is_neither_searched_nor_written(opensearch: OpenSearchLexical, owner: User) -> None:
    make_video(owner, ["A boat."])
    meta = {"_meta": {"mapping_version": 2, "analysis_version": 1}}
    opensearch.client.indices.put_mapping(index=opensearch.names.alias, body=meta)
    assert "newer release" in opensearch.health()
    answer = opensearch.search(LexicalQuery(owner.pk, "boat", 10))
    assert (len(answer.matches["lexical"]), len(answer.notices)) == (1, 1)
    with pytest.raises(SearchServerAway, match="newer release"):
        opensearch.drain.run()
    assert SearchChange.objects.count() == 1


def test_an_index_of_an_older_release_is_rebuilt(opensearch: OpenSearchLexical, owner: User) -> None:
    make_video(owner, ["A boat."])
    meta = {"_meta": {"mapping_version": 0, "analysis_version": 1}}
    opensearch.client.indices.put_mapping(index=opensearch.names.alias, body=meta)
    assert "search_index rebuild" in opensearch.health()
    opensearch.rebuild.run()
    assert opensearch.health() == ""
    assert opensearch.search(LexicalQuery(owner.pk, "boat", 10)).notices == ()


def test_no_index_is_created_by_accident(opensearch: OpenSearchLexical, owner: User) -> None:
    make_video(owner, ["A boat."])
    opensearch.client.indices.delete(index=",".join(list_indexes(opensearch)))
    with pytest.raises(SearchServerAway):
        opensearch.drain.run()
    assert list_indexes(opensearch) == []
    create_index(opensearch)
    opensearch.drain.run()
    assert opensearch.verifier.verify().is_clean


def test_a_disk_that_fills_up_leaves_the_old_index_in_use(
    opensearch: OpenSearchLexical, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_video(owner, ["A boat."])
    opensearch.drain.run()
    before = opensearch.read_state().searched
    create = rebuild.Rebuild.create

    def create_on_a_full_disk(self: rebuild.Rebuild) -> str:
        name = create(self)
        opensearch.client.indices.put_settings(index=name, body={"index.blocks.read_only_allow_delete": True})
        return name

    monkeypatch.setattr(rebuild, "_WAITS_S", (0,))
    with monkeypatch.context() as patches:
        patches.setattr(rebuild.Rebuild, "create", create_on_a_full_disk)
        with pytest.raises(SearchServerAway, match="free some space"):
            opensearch.rebuild.run()
    assert opensearch.read_state().searched == before
    assert opensearch.search(LexicalQuery(owner.pk, "boat", 10)).notices == ()
    assert opensearch.rebuild.run().documents == 1
    assert opensearch.verifier.verify().is_clean
