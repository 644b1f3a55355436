"""A run over everything, worked on in this process."""

from time import perf_counter
from uuid import UUID


def embed_all() -> None:
    """Start a run of scope `all` and work on it to its end."""
    work_on(start())


def start() -> UUID:
    """Record a run of scope `all`."""
    from reprocess.actions.start_run import start_run
    from reprocess.models import ReprocessRun
    from reprocess.scope import Scope

    return start_run(Scope("all"), force=False, entrance=ReprocessRun.Entrance.COMMAND, requested_by=None).pk


def work_on(run_id: UUID) -> float:
    """Do the worker's whole part of a run and return the seconds that it took; RuntimeError unless it succeeded."""
    from reprocess.models import ReprocessRun
    from reprocess.worker import work

    began = perf_counter()
    work(run_id)
    seconds = perf_counter() - began
    run = ReprocessRun.objects.get(pk=run_id)
    if run.state != ReprocessRun.State.SUCCEEDED:
        raise RuntimeError(f"The run ended as {run.state}: {run.error}")
    return seconds


def inputs_of(run_id: UUID) -> int:
    """Return how many different inputs the models have computed for a run so far."""
    from django.db.models import Sum

    from reprocess.models import StepUse

    inputs: int = StepUse.objects.filter(run_id=run_id).aggregate(sum=Sum("inputs", default=0))["sum"]
    return inputs


def forget(*channels: str) -> None:
    """Delete the vectors of some channels, so that a run has them to compute again."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM videos_sceneembedding USING videos_embeddingspace space WHERE space.id = space_id AND space.channel = ANY(%s)",
            [list(channels)],
        )
        cursor.execute("VACUUM ANALYZE videos_sceneembedding")
