"""Inputs are prepared ahead while a batch is computed, and an error ends everything."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from unittest import mock

import numpy as np
import pytest

from heimdex.backends import get_text_embedder
from heimdex.errors import ModelInputError
from heimdex.leases import LeaseLost
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs import prefetch
from reprocess.runs.prefetch import BATCHES_AHEAD, prefetch_and_compute
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.library import make_user, make_video
from videos.models import SceneEmbedding

BATCHES = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10]]


def do_nothing() -> None:
    pass


def list_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith(("prepare", "compute"))}


@pytest.fixture(autouse=True)
def _check_that_threads_end() -> Iterator[None]:
    yield
    deadline = time.monotonic() + 10
    while list_threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert list_threads() == set()


def test_batches_are_complete_and_in_order() -> None:
    def compute(batch: Sequence[int], prepared: list[str]) -> list[tuple[int, str]]:
        return list(zip(batch, prepared, strict=True))

    assert list(prefetch_and_compute(BATCHES, str, compute, do_nothing)) == [
        [(number, str(number)) for number in batch] for batch in BATCHES
    ]
    assert list(prefetch_and_compute([], str, compute, do_nothing)) == []


def test_the_next_batches_are_prepared_while_one_is_computed() -> None:
    third_is_prepared = threading.Event()

    def prepare(number: int) -> int:
        if number == 9:
            third_is_prepared.set()
        return number

    def compute(batch: Sequence[int], prepared: list[int]) -> bool:
        return third_is_prepared.wait(10)

    with closing(prefetch_and_compute(BATCHES, prepare, compute, do_nothing)) as results:
        assert next(results)


def test_few_batches_are_prepared_ahead_and_each_is_computed_on_demand() -> None:
    prepared: list[int] = []
    computed: list[int] = []
    many = [[number] for number in range(50)]

    def compute(batch: Sequence[int], values: list[None]) -> None:
        computed.append(batch[0])

    for position, _ in enumerate(prefetch_and_compute(many, prepared.append, compute, do_nothing)):
        time.sleep(0.002)
        assert computed == list(range(position + 1))
        assert len(prepared) <= position + 1 + BATCHES_AHEAD


@pytest.mark.parametrize("culprit", ["prepare", "compute"])
def test_an_error_on_a_thread_is_raised_in_the_caller(culprit: str) -> None:
    def prepare(number: int) -> int:
        if culprit == "prepare" and number == 5:
            raise MemoryError(culprit)
        return number

    def compute(batch: Sequence[int], prepared: list[int]) -> int:
        if culprit == "compute" and 5 in batch:
            raise MemoryError(culprit)
        return batch[0]

    done: list[int] = []
    with pytest.raises(MemoryError, match=culprit):
        done.extend(prefetch_and_compute(BATCHES, prepare, compute, do_nothing))
    assert done in ([], [1])


def test_the_caller_gets_heartbeats_during_a_long_batch_and_can_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "HEARTBEAT_S", 0.01)
    heartbeats: list[str] = []
    stopped = threading.Event()
    started: list[int] = []

    def compute(batch: Sequence[int], prepared: list[int]) -> None:
        started.append(batch[0])
        stopped.wait(10)

    def heartbeat() -> None:
        heartbeats.append(threading.current_thread().name)
        if len(heartbeats) == 3:
            stopped.set()
            raise LeaseLost("taken over")

    with pytest.raises(LeaseLost):
        list(prefetch_and_compute(BATCHES, int, compute, heartbeat))
    assert heartbeats == [threading.current_thread().name] * 3
    assert started == [1]


@pytest.mark.django_db(transaction=True)
def test_a_rejected_input_fails_alone_and_the_others_are_computed_once() -> None:
    make_video(make_user(), [f"The harbour at hour {hour} is described here. " * 6 for hour in range(12)])
    encode = get_text_embedder()._encode_documents
    sent: list[str] = []

    def reject_hour_7(texts: list[str]) -> np.ndarray:
        if any("hour 7" in text for text in texts):
            raise ModelInputError("This text is refused.")
        sent.extend(texts)
        return encode(texts)

    with mock.patch.object(get_text_embedder(), "_encode_documents", reject_hour_7):
        run = start_run(Scope("all"), force=False, entry_point=ReprocessRun.EntryPoint.COMMAND, requested_by=None)
        run_worker(run.pk)
    failure = SceneEmbedding.objects.get(state=SceneEmbedding.State.FAILED)
    assert (failure.scene.index, failure.space.channel, failure.error) == (7, "transcript", "This text is refused.")
    assert SceneEmbedding.objects.filter(state=SceneEmbedding.State.EMBEDDED).count() == 4 * 12 - 1
    assert len(sent) == len(set(sent))
