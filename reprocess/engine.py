"""Compute what is stale of some videos, or of an owner's people, in batches that cross their borders; ingest and runs share this code."""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from time import monotonic
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from heimdex.accounts.locks import lock_owner
from heimdex.embedders.base import Embedder
from heimdex.embedders.errors import EmbedderError, InputsRefused
from people.matching import match_faces
from reprocess.pipelining import overlapped
from reprocess.spec import ConfiguredStep, EffectiveSpec
from reprocess.staleness import stale_people, stale_scenes
from reprocess.steps.base import InputMissing, PeopleStep, SceneStep, Step
from reprocess.vectors import write_outcomes
from reprocess.work import Outcome, Result, Subject, Work
from videos.models import EmbeddingSpace, Video

Pending: TypeAlias = list[tuple[Subject, Work]]

# Rows that need no model are written in larger batches.
_EMPTY_BATCH = 500


class Guard(Protocol):
    """The right to work: it is kept by reporting progress, and every write happens under it."""

    def progress(self, fraction: float) -> None:
        """Report how much is done and keep the right; LeaseLost when another worker has taken over."""

    def writing(self) -> AbstractContextManager[None]:
        """Open a transaction that only the right's holder can commit."""


@dataclass(frozen=True)
class Batch:
    """What one batch came to: an outcome per piece of work, and what it used (`seconds` of loading and computing)."""

    step: str
    outcomes: tuple[Outcome, ...]
    inputs: int = 0
    model_calls: int = 0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class _Unusable:
    """An input that cannot be embedded, and why."""

    reason: str


@dataclass
class _Progress:
    """How far the work has come: `finished` of `total` rows in the step at `position` of `steps`."""

    guard: Guard
    position: int
    steps: int
    total: int
    finished: int = 0

    def report(self) -> None:
        """Tell the guard, which keeps the right to work, or ends it."""
        self.guard.progress((self.position + self.finished / self.total) / self.steps)


class Record(Protocol):
    """Told of each batch within the transaction that writes it."""

    def __call__(self, batch: Batch, /) -> None: ...


def embed_videos(
    videos: Sequence[Video], spec: EffectiveSpec, guard: Guard, record: Record, *, run_id: UUID | None = None, force: bool = False
) -> None:
    """Bring the scenes of some videos to the spec; does nothing for what is fresh, so it may be called again at any time.

    LeaseLost when another worker took over; EmbedderUnavailable when a model cannot be used at all.
    """
    spaces = spec.spaces()
    steps = [configured for configured in spec.steps if isinstance(configured.step, SceneStep)]

    def pending(step: Step) -> Pending:
        assert isinstance(step, SceneStep)
        return _of_videos(step, videos, spaces, run_id=run_id, force=force)

    _run(steps, spaces, pending, guard, record, run_id)


def embed_people(
    owner_id: UUID,
    spec: EffectiveSpec,
    guard: Guard,
    record: Record,
    *,
    photos: Collection[UUID] = (),
    run_id: UUID | None = None,
    force: bool = False,
) -> None:
    """Bring an owner's photos and people to the spec, as `embed_videos` does scenes; then say anew whose the owner's faces are.

    Photos that have just arrived are left out, but for those of `photos`, which the caller has taken in.
    """
    steps = [configured for configured in spec.steps if isinstance(configured.step, PeopleStep)]
    if not steps:
        return
    spaces = spec.spaces()

    def pending(step: Step) -> Pending:
        assert isinstance(step, PeopleStep)
        stale = stale_people(step.kind, owner_id, step.channel, spaces[step.channel], photos=photos, run_id=run_id, force=force)
        return list(step.work(stale, spaces))

    _run([one for one in steps if one.step.calls_model], spaces, pending, guard, record, run_id)
    averaged: list[Batch] = []
    # Together: if the worker dies, whom faces are to be compared with stays out of date, and that is found and made up for.
    with guard.writing():
        lock_owner(owner_id)
        _run([one for one in steps if not one.step.calls_model], spaces, pending, guard, averaged.append, run_id)
        match_faces(owner_id, spaces)
        # Last, because other workers wait for the rows that count what the run has used.
        for batch in averaged:
            record(batch)


def _run(
    steps: Sequence[ConfiguredStep],
    spaces: Mapping[str, EmbeddingSpace],
    pending_of: Callable[[Step], Pending],
    guard: Guard,
    record: Record,
    run_id: UUID | None,
) -> None:
    for position, configured in enumerate(steps):
        pending = pending_of(configured.step)
        progress = _Progress(guard, position, len(steps), len(pending))
        # Closed at once when a write fails, so that no thread goes on for a lease that is lost.
        with closing(_batches(configured, pending, progress.report)) as batches:
            for batch in batches:
                configured.step.store(batch.outcomes)
                with guard.writing():
                    kept = write_outcomes(configured.step.kind, batch.outcomes, spaces, run_id)
                    configured.step.keep(kept, spaces)
                    record(batch)
                progress.finished += len(batch.outcomes)
                progress.report()


def _of_videos(
    step: SceneStep, videos: Sequence[Video], spaces: Mapping[str, EmbeddingSpace], *, run_id: UUID | None, force: bool
) -> Pending:
    ids = [video.pk for video in videos]
    stale = {channel: stale_scenes(ids, channel, spaces[channel], run_id=run_id, force=force) for channel in step.channels}
    pending: Pending = []
    for video in videos:
        of_video = {channel: scenes.get(video.pk, frozenset()) for channel, scenes in stale.items()}
        if any(of_video.values()):
            pending.extend(step.work(video, of_video))
    return pending


def _batches(configured: ConfiguredStep, pending: Pending, beat: Callable[[], None]) -> Generator[Batch]:
    """Yield first what needs no model, then batches of the model's size in which equal inputs of one owner are computed once."""
    step = configured.step
    empty = [Outcome(subject, work) for subject, work in pending if not work.source]
    for start in range(0, len(empty), _EMPTY_BATCH):
        yield Batch(step.name, tuple(empty[start : start + _EMPTY_BATCH]))

    def same_input(entry: tuple[Subject, Work]) -> tuple[int, str, str]:
        work = entry[1]
        # Inputs of like length side by side need the least padding.
        return (len(work.source), str(work.owner_id), work.input_hash)

    full = sorted((entry for entry in pending if entry[1].source), key=same_input)
    groups = [list(group) for _, group in groupby(full, key=same_input)]
    if not groups:
        return
    model = configured.model()
    sized = (groups[start : start + model.inputs_at_once] for start in range(0, len(groups), model.inputs_at_once))
    yield from overlapped(sized, partial(_prepare, step, model), partial(_compute, step, model), beat)


def _prepare(step: Step, model: Embedder, group: Pending) -> Any:
    """Return what the model takes, or an _Unusable that says why there is nothing.

    Equal inputs may lie in several places, such as two videos' keyframes, and one that can be read will do.
    """
    reason = ""
    for work in {work.source: work for _, work in group}.values():
        try:
            return step.load(work, model)
        except (InputMissing, EmbedderError) as error:
            reason = str(error)
    return _Unusable(reason)


def _compute(step: Step, model: Embedder, groups: Sequence[Pending], prepared: list[Any]) -> Batch:
    calls, tokens, began = model.calls, model.tokens, monotonic()
    inputs = [value for value in prepared if not isinstance(value, _Unusable)]
    results = iter(_embed(step, model, inputs))
    outcomes: list[Outcome] = []
    for group, value in zip(groups, prepared, strict=True):
        result = value.reason if isinstance(value, _Unusable) else next(results)
        outcomes.extend(Outcome.of(subject, work, result) for subject, work in group)
    return Batch(step.name, tuple(outcomes), len(inputs), model.calls - calls, model.tokens - tokens, monotonic() - began)


def _embed(step: Step, model: Embedder, inputs: list[Any]) -> list[Result | str]:
    """Return a result per input, or why there is none."""
    if not inputs:
        return []
    try:
        return list(step.embed(model, inputs))
    except InputsRefused as error:
        return [error.refused.get(position, vector) for position, vector in enumerate(error.vectors)]
