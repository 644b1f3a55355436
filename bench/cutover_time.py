"""Measure a cutover of a large owner to another text model, and its rollback, while searches go on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

from bench.benchmark import Part
from bench.probes import describe_searches, make_search, run_probe
from bench.scale_rows import VECTOR_FIELDS
from bench.workers import use_slow_embedder

if TYPE_CHECKING:
    from heimdex.accounts.models import User
    from reprocess.cutover.switch import SpaceChange
    from videos.models import EmbeddingSpace

SWITCH_S = 10.0
LOCK_S = 1.0
Result = TypeVar("Result")


def measure_cutover(owner: "User") -> list[Part]:
    """Return the times of a cutover and of its rollback, and what others wait for meanwhile.

    The owner has no recorded queries: the comparison of results before a cutover takes two searches for each.
    """
    from django.db import transaction

    from heimdex.accounts.owner import lock_owner
    from reprocess.actions.cutovers import cut_over, roll_back
    from videos.models import RecordedQuery

    def lock() -> None:
        with transaction.atomic():
            lock_owner(owner.pk)

    with _fill_other_spaces(owner):
        search = make_search([owner], seed=2)
        search()
        RecordedQuery.objects.filter(owner=owner).delete()
        cutover, cutover_s = _time(lambda: cut_over(owner.pk, force=False))
        rollback, rollback_s = _time(lambda: roll_back(cutover.pk, None))
        if rollback.left_out or rollback.catch_up:
            raise RuntimeError(f"The rollback is not complete: {rollback.left_out} {rollback.catch_up}")
        # Once more, because searches would be recorded, and would share the cores.
        with run_probe(lock, pause_s=0.005) as locks, run_probe(search) as searches:
            roll_back(cut_over(owner.pk, force=True).pk, None)
    return [
        Part("cutover, s", cutover_s, SWITCH_S, at_least=False),
        Part("rollback, s", rollback_s, SWITCH_S, at_least=False),
        Part("longest wait for the owner's lock, s", locks.longest_s, LOCK_S, at_least=False),
        *describe_searches(searches, "cutover and rollback"),
    ]


def _time(action: Callable[[], Result]) -> tuple[Result, float]:
    began = perf_counter()
    result = action()
    return result, perf_counter() - began


@contextmanager
def _fill_other_spaces(owner: "User") -> Iterator[None]:
    """Configure another text model, with the same vectors for the owner. Remove them at the end."""
    from django.conf import settings
    from django.test import override_settings

    from reprocess.cutover.switch import plan_cutover
    from reprocess.spec import get_effective_spec
    from videos.search.packing import pack_large_spaces

    # Its channel is not filled, so that no cutover would be complete.
    without_faces = {alias: options for alias, options in settings.MODEL_BACKENDS.items() if alias != "faces"}
    with override_settings(MODEL_BACKENDS=without_faces), use_slow_embedder(0.0, batch_size=16, concurrency=1):
        change = plan_cutover(owner.pk, get_effective_spec())
        try:
            for space in change.pending:
                _copy_vectors(owner, change.before[space.channel], space)
            pack_large_spaces()
            yield
        finally:
            _restore(change)


def _copy_vectors(owner: "User", source: "EmbeddingSpace", target: "EmbeddingSpace") -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        # The rows are correct, so skip the checks of their references.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            f"""INSERT INTO videos_sceneembedding {VECTOR_FIELDS}
                SELECT scene_id, %s, owner_id, state, vector, input_hash, error, now() FROM videos_sceneembedding
                WHERE owner_id = %s AND space_id = %s""",
            [target.pk, owner.pk, source.pk],
        )
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("ANALYZE videos_sceneembedding")


def _restore(change: "SpaceChange") -> None:
    """Let search read the spaces of before, and delete the others with their vectors."""
    from django.db import connection, transaction

    from reprocess.cutover.switch import SpaceChange, activate_spaces
    from reprocess.models import Cutover
    from videos.models import EmbeddingSpace
    from videos.search.vectors import list_active_spaces

    current = {space.channel: space for space in list_active_spaces(change.owner_id)}
    with transaction.atomic():
        activate_spaces(SpaceChange(change.owner_id, current, change.before))
    Cutover.objects.filter(owner=change.owner_id).delete()
    ids = [space.pk for space in change.pending]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM videos_sceneembedding WHERE space_id = ANY(%s)", [ids])
        EmbeddingSpace.objects.filter(pk__in=ids).delete()
        cursor.execute("VACUUM ANALYZE videos_sceneembedding")
