"""What is seen of runs from outside: how they end, and what search answers meanwhile."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby

from django.db import DatabaseError, InterfaceError, connection

from heimdex.accounts.models import User
from reprocess.models import Cutover, ReprocessItem, ReprocessRun
from reprocess.planning.targets import get_target_type
from tests.acceptance.conftest import Workers
from tests.acceptance.crashes.library import SECOND, Answer, answer
from videos.models import ActiveSpace

TEXT_CHANNELS = ("transcript", "visual", "summary")


class Answers(list[Answer]):
    """What an owner was answered to one query, in the order of asking."""

    def different(self) -> list[Answer]:
        """Return the answers without repetitions: two for the old vectors and then the new ones, and more if they were ever mixed."""
        return [answered for answered, _ in groupby(self)]


@contextmanager
def searching(owners: list[User]) -> Iterator[dict[User, Answers]]:
    """Search for every owner all the time; yield what was found, which is complete at the end of the block."""
    found = {owner: Answers([answer(owner)]) for owner in owners}
    done = threading.Event()

    def keep_searching() -> None:
        while not done.wait(0.3):
            for owner in owners:
                try:
                    found[owner].append(answer(owner))
                except (DatabaseError, InterfaceError):
                    # The test has killed the database.
                    connection.close()
        connection.close()

    thread = threading.Thread(target=keep_searching)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()
        for owner in owners:
            found[owner].append(answer(owner))


def all_ended(workers: Workers) -> bool:
    """Return whether every run has ended. Restart workers that have ended, as a supervisor does."""
    workers.restart_dead()
    return not ReprocessRun.objects.filter(state__in=ReprocessRun.UNFINISHED).exists()


def counters(run: ReprocessRun) -> dict[str, tuple[int, int, int, int, int]]:
    """Return planned, done, skipped, empty and failed by channel."""
    return {c.channel: (c.planned, c.done, c.skipped, c.empty, c.failed) for c in run.counters.all()}


def models_of(owner: User) -> set[str]:
    """Return the text models whose vectors the owner's search reads."""
    active = ActiveSpace.objects.filter(owner=owner, channel__in=TEXT_CHANNELS).select_related("space")
    return {entry.space.embedder["model"] for entry in active}


def assert_one_row_each(owner: User) -> None:
    """Check that every scene, photo and person of an owner has exactly one row in each space that search reads."""
    for active in ActiveSpace.objects.filter(owner=owner):
        kind = get_target_type(active.channel)
        subjects = set(kind.model._default_manager.filter(owner=owner).values_list("pk", flat=True))
        rows = Counter(kind.filter_embeddings(space=active.space_id, owner=owner).values_list(f"{kind.name}_id", flat=True))
        assert rows == dict.fromkeys(subjects, 1), (owner.email, active.channel)


def assert_complete(run: ReprocessRun, owner: User, word: str, *, model: str = SECOND) -> None:
    """Check that a run over a library of make_library's did all of it, once, and that the owner's search reads it."""
    run.refresh_from_db()
    assert (run.state, run.error) == (ReprocessRun.State.SUCCEEDED, ""), word
    assert set(run.items.values_list("state", "lease_token")) == {(ReprocessItem.State.DONE, None)}, word
    said, seen, unchanged = (4, 3, 0, 1, 0), (4, 4, 0, 0, 0), (4, 0, 4, 0, 0)
    assert counters(run) == {"transcript": said, "visual": seen, "summary": seen, "clip": unchanged}, word
    assert models_of(owner) == {model}, word
    assert_one_row_each(owner)
    assert Cutover.objects.get(owner=owner).state == Cutover.State.SWITCHED, word
