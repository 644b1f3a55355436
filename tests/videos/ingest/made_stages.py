"""Stages made for the purpose: they note that they ran, and do what a test asks of them."""

from collections.abc import Callable

from videos.ingest.stage import Stage, StageContext
from videos.models import Video

Behavior = Callable[[StageContext], None]
log: list[str] = []
behavior: dict[str, Behavior] = {}


def first(context: StageContext) -> None:
    log.append("first")
    behavior.get("first", rename)(context)


def second(context: StageContext) -> None:
    log.append("second")
    behavior.get("second", rename)(context)


def rename(context: StageContext) -> None:
    with context.transaction():
        Video.objects.filter(pk=context.video.pk).update(title=f"written by {log[-1]}")


def fails(error: Exception) -> Behavior:
    def stage(context: StageContext) -> None:
        raise error

    return stage


FIRST = Stage("first", order=31, label="First", run=first)
SECOND = Stage("second", order=32, label="Second", run=second)
