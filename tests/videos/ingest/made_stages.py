"""Stages made for the purpose: they note that they ran, and do what a test asks of them."""

from collections.abc import Callable

from videos.ingest.stage import StageContext
from videos.models import Video

Behaviour = Callable[[StageContext], None]
log: list[str] = []
behaviour: dict[str, Behaviour] = {}


def first(context: StageContext) -> None:
    log.append("first")
    behaviour.get("first", rename)(context)


def second(context: StageContext) -> None:
    log.append("second")
    behaviour.get("second", rename)(context)


def rename(context: StageContext) -> None:
    with context.writing():
        Video.objects.filter(pk=context.video.pk).update(title=f"written by {log[-1]}")


def fails(error: Exception) -> Behaviour:
    def stage(context: StageContext) -> None:
        raise error

    return stage
