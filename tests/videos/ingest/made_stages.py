"""Stages for tests: they record their runs, and behave as a test defines."""

from collections.abc import Callable

from videos.ingest.stage import Stage, StageContext
from videos.models import Video

Behavior = Callable[[StageContext], None]
log: list[str] = []
behaviors: dict[str, Behavior] = {}


def first(context: StageContext) -> None:
    log.append("first")
    behaviors.get("first", rename)(context)


def second(context: StageContext) -> None:
    log.append("second")
    behaviors.get("second", rename)(context)


def rename(context: StageContext) -> None:
    with context.transaction():
        Video.objects.filter(pk=context.video.pk).update(title=f"written by {log[-1]}")


def make_failing(error: Exception) -> Behavior:
    def stage(context: StageContext) -> None:
        raise error

    return stage


FIRST = Stage("first", order=31, label="First", run=first)
SECOND = Stage("second", order=32, label="Second", run=second)
