"""Start runs over everything, and work on them in this process."""

from time import perf_counter
from uuid import UUID


def embed_all() -> None:
    """Start a run of scope `all` and work on it until it ends."""
    work_on_run(queue_run())


def queue_run() -> UUID:
    """Create a run of scope `all` and return its id."""
    from reprocess.models import ReprocessRun
    from reprocess.planning.scope import Scope
    from reprocess.runs.requests import start_run

    return start_run(Scope("all"), force=False, entry_point=ReprocessRun.EntryPoint.COMMAND, requested_by=None).pk


def work_on_run(run_id: UUID) -> float:
    """Work on a run until it ends and return the seconds. Raise RuntimeError unless it succeeds."""
    from reprocess.models import ReprocessRun
    from reprocess.runs.worker import run_worker

    began = perf_counter()
    run_worker(run_id)
    seconds = perf_counter() - began
    run = ReprocessRun.objects.get(pk=run_id)
    if run.state != ReprocessRun.State.SUCCEEDED:
        raise RuntimeError(f"The run ended as {run.state}: {run.error}")
    return seconds


def count_inputs(run_id: UUID) -> int:
    """Count the distinct inputs that the models have computed for a run so far."""
    from django.db.models import Sum

    from reprocess.models import StepUse

    inputs: int = StepUse.objects.filter(run_id=run_id).aggregate(sum=Sum("inputs", default=0))["sum"]
    return inputs


def delete_vectors(*channels: str) -> None:
    """Delete the vectors of some channels, so that a run computes them again."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM videos_sceneembedding USING videos_embeddingspace space WHERE space.id = space_id AND space.channel = ANY(%s)",
            [list(channels)],
        )
        cursor.execute("VACUUM ANALYZE videos_sceneembedding")
