"""Observe runs from outside: their leases, their outcome, and the answers of search during them."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, groupby
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from heimdex.accounts.models import User
from people.models import PersonPhoto
from reprocess.models import Cutover, ReprocessItem, ReprocessRun
from reprocess.planning.targets import get_target_type
from tests.acceptance.conftest import Workers
from tests.acceptance.crashes.library import SECOND, Answer, search_answer
from videos.models import ActiveSpace, SceneEmbedding

TEXT_CHANNELS = ("transcript", "visual", "summary")
LEASED = (ReprocessItem, PersonPhoto)


class Answers(list[Answer]):
    """The answers to an owner's repeated query, in order."""

    def deduplicate(self) -> list[Answer]:
        """Return the answers without consecutive duplicates: one for the old and one for the new vectors, and more if they were mixed."""
        return [answered for answered, _ in groupby(self)]


@contextmanager
def search_continuously(owners: list[User]) -> Iterator[dict[User, Answers]]:
    """Search for every owner during the block; yield the answers, which are complete when the block ends."""
    answers = {owner: Answers([search_answer(owner)]) for owner in owners}
    done = threading.Event()

    def keep_searching() -> None:
        while not done.wait(0.3):
            for owner in owners:
                try:
                    answers[owner].append(search_answer(owner))
                except (DatabaseError, InterfaceError):
                    # The test has killed the database.
                    connection.close()
        connection.close()

    thread = threading.Thread(target=keep_searching)
    thread.start()
    try:
        yield answers
    finally:
        done.set()
        thread.join()
        for owner in owners:
            answers[owner].append(search_answer(owner))


def list_lease_tokens() -> set[UUID]:
    """Return the tokens of all leases."""
    leased = [model._default_manager.exclude(lease_token=None).values_list("lease_token", flat=True) for model in LEASED]
    return set(chain.from_iterable(leased))


def expire_leases(tokens: set[UUID]) -> None:
    """Let the lease time of killed workers pass at once. Leases that live workers acquired meanwhile stay."""
    for model in LEASED:
        model._default_manager.filter(lease_token__in=tokens).update(lease_expires_at=timezone.now())


def have_all_ended(workers: Workers) -> bool:
    """Return whether every run has ended. Restart workers that exited, as a supervisor does."""
    workers.restart_dead()
    return not ReprocessRun.objects.filter(state__in=ReprocessRun.UNFINISHED).exists()


def have_no_open_items(workers: Workers) -> bool:
    """Return whether every item of every run has ended. Restart workers that exited, as a supervisor does."""
    workers.restart_dead()
    return not ReprocessItem.objects.filter(state__in=ReprocessItem.OPEN).exists()


def assert_counts_rows(run: ReprocessRun) -> None:
    """Check that the counters of a run add up, and that they count the rows that it has written."""
    for counter in run.counters.all():
        rows = SceneEmbedding.objects.filter(run_id=run.pk, space__channel=counter.channel)
        written = tuple(rows.filter(state=state).count() for state in ("embedded", "empty", "failed"))
        assert (counter.done, counter.empty, counter.failed) == written, counter
        assert counter.counted + counter.not_begun == counter.planned, counter


def read_counters(run: ReprocessRun) -> dict[str, tuple[int, int, int, int, int]]:
    """Return planned, done, skipped, empty and failed per channel."""
    return {c.channel: (c.planned, c.done, c.skipped, c.empty, c.failed) for c in run.counters.exclude(channel="search_index")}


def list_models(owner: User) -> set[str]:
    """Return the text models whose vectors the owner's search reads."""
    active = ActiveSpace.objects.filter(owner=owner, channel__in=TEXT_CHANNELS).select_related("space")
    return {entry.space.embedder["model"] for entry in active}


def assert_one_row_each(owner: User) -> None:
    """Check that every scene, photo and person of an owner has exactly one row in each space that search reads."""
    for active in ActiveSpace.objects.filter(owner=owner):
        target_type = get_target_type(active.channel)
        subjects = set(target_type.model._default_manager.filter(owner=owner).values_list("pk", flat=True))
        rows = Counter(target_type.filter_embeddings(space=active.space_id, owner=owner).values_list(f"{target_type.name}_id", flat=True))
        assert rows == dict.fromkeys(subjects, 1), (owner.email, active.channel)


def assert_complete(run: ReprocessRun, owner: User, word: str, *, model: str = SECOND) -> None:
    """Check that a run over a library of `make_library` did everything once, and that the owner's search reads it."""
    run.refresh_from_db()
    assert (run.state, run.error) == (ReprocessRun.State.SUCCEEDED, ""), word
    assert set(run.items.values_list("state", "lease_token")) == {(ReprocessItem.State.DONE, None)}, word
    transcripts, visuals, unchanged = (4, 3, 0, 1, 0), (4, 4, 0, 0, 0), (4, 0, 4, 0, 0)
    assert read_counters(run) == {"transcript": transcripts, "visual": visuals, "summary": visuals, "clip": unchanged}, word
    assert list_models(owner) == {model}, word
    assert_one_row_each(owner)
    assert Cutover.objects.get(owner=owner).state == Cutover.State.SWITCHED, word
