"""Packings, writers, transfers and purges that run beside each other lose no vector."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from unittest import mock

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.transfer.rows import lock_library, move_rows
from tests.library import make_user
from tests.videos.search.test_packing import BLOCK, add_vectors, find, list_ids
from tests.videos.search.test_packing import small_blocks as small_blocks
from tests.videos.search.test_packing import space as space
from videos.models import EmbeddingSpace, PackedSpace, SceneEmbedding
from videos.search import packing, vector_codes
from videos.search.packing import delete_packed, hold_back_packing, pack_space

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def run_beside(work: Callable[[], object]) -> Iterator[Future[object]]:
    """Run something in another thread, and wait for it at the end of the block."""

    def run() -> object:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(run)
        yield future
        future.result(30)


def is_waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        return bool(cursor.fetchone()[0])


def wait_until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(500):
        if condition():
            return
        pause.wait(0.02)
    pytest.fail("nobody waits for the lock")


def count_found(space: EmbeddingSpace, owner: User) -> tuple[int, int]:
    return len(set(list_ids(find(space, owner, 1000)))), SceneEmbedding.objects.filter(owner=owner, space=space).count()


def test_a_packing_waits_for_writers_whose_rows_have_lower_ids(space: EmbeddingSpace) -> None:
    owner = make_user("owner@example.org")
    with transaction.atomic():
        hold_back_packing([owner.pk])
        add_vectors(space, owner, 20)
        with run_beside(lambda: add_vectors(space, owner, 130, 3)):
            pass
        # The ids of the open transaction are lower than those that are committed.
        beside = run_beside(lambda: pack_space(owner.pk, space))
        future = beside.__enter__()
        wait_until(is_waiting_for_a_lock)
        assert not future.done()
    beside.__exit__(None, None, None)
    assert PackedSpace.objects.get().count == 3 * BLOCK
    assert count_found(space, owner) == (150, 150)


def test_a_packing_beside_a_transfer_finds_the_vectors_that_move(space: EmbeddingSpace, settings: Settings) -> None:
    source, target = make_user("source@example.org"), make_user("target@example.org")
    add_vectors(space, source, 90, 3)
    add_vectors(space, target, 130, 4)
    with transaction.atomic():
        lock_library(source.pk, target.pk)
        move_rows(source.pk, target.pk)
        beside = run_beside(lambda: pack_space(target.pk, space))
        beside.__enter__()
        wait_until(is_waiting_for_a_lock)
    beside.__exit__(None, None, None)
    assert count_found(space, target) == (220, 220)


def test_codes_are_deleted_after_the_block_that_is_being_written(space: EmbeddingSpace) -> None:
    owner = make_user("owner@example.org")
    add_vectors(space, owner, 130)
    is_writing, go_on = threading.Event(), threading.Event()
    encode = vector_codes.encode_vectors

    def encode_slowly(*arguments: object) -> object:
        is_writing.set()
        go_on.wait(20)
        return encode(*arguments)  # type: ignore[arg-type]

    with mock.patch.object(packing, "encode_vectors", encode_slowly), run_beside(lambda: pack_space(owner.pk, space)):
        is_writing.wait(20)
        with run_beside(lambda: delete_packed([owner.pk], space)):
            wait_until(is_waiting_for_a_lock)
            go_on.set()
    assert not PackedSpace.objects.filter(is_active=True).exists()
    assert count_found(space, owner) == (130, 130)
