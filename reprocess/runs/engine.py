"""Compute the stale vectors of videos, or of an owner's people, in batches that span videos. Ingest and runs share this code."""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from time import monotonic
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import structlog

from heimdex.accounts.owner import lock_owner
from heimdex.embedders.base import Embedder
from heimdex.errors import InputsRejected, ModelInputError, ModelUnavailable
from heimdex.outages.classify import find_outage
from people.matching import match_faces
from reprocess.planning.staleness import filter_stale_people, find_stale_scenes
from reprocess.runs.prefetch import prefetch_and_compute
from reprocess.runs.server_errors import is_fault_of_input
from reprocess.runs.unexpected import describe_error, explain_input_failure
from reprocess.runs.vectors import replace_embeddings
from reprocess.spec import ConfiguredStep, EffectiveSpec
from reprocess.steps.base import InputMissing, PeopleStep, SceneStep, Step
from reprocess.steps.embedding_task import EmbeddingTask, Outcome, Result, Target
from videos.models import EmbeddingSpace, Video

Tasks: TypeAlias = list[tuple[Target, EmbeddingTask]]
# The ids of scenes by channel.
Sample: TypeAlias = Mapping[str, Collection[UUID]]

log = structlog.get_logger(__name__)

BROKEN = "The model {model} fails on every input ({error})."

# When all of at least so many inputs cause unexpected errors, the model is broken, and not the inputs.
_MIN_INPUTS_OF_BROKEN_MODEL = 4
# Rows that need no model are written in larger batches.
_EMPTY_BATCH = 500


class WorkLease(Protocol):
    """The lease on the work. Reporting progress renews it, and every write checks it."""

    def report_progress(self, fraction: float) -> None:
        """Report the share done (0 to 1) and renew the lease. Raise LeaseLost when another worker holds it."""

    def transaction(self) -> AbstractContextManager[None]:
        """Open a transaction that only the holder of the lease can commit."""


@dataclass(frozen=True)
class Batch:
    """The outcomes of one batch, and what it has used. `seconds` measure the computation."""

    step: str
    outcomes: tuple[Outcome, ...]
    inputs: int = 0
    model_calls: int = 0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class _Unusable:
    """An input that cannot be embedded, and the reason. `error` is what it caused, if nobody expected that."""

    reason: str
    error: str = ""


@dataclass
class _Progress:
    """The progress of one step: `finished` of `total` rows in the step at `position` of `steps`."""

    lease: WorkLease
    position: int
    steps: int
    total: int
    finished: int = 0

    def report(self) -> None:
        """Report the progress to the lease, which renews itself or raises an exception that stops the work."""
        self.lease.report_progress((self.position + self.finished / self.total) / self.steps)


class OnBatch(Protocol):
    """A callback for each batch, called in the transaction that writes the batch."""

    def __call__(self, batch: Batch, /) -> None: ...


def embed_videos(
    videos: Sequence[Video],
    spec: EffectiveSpec,
    lease: WorkLease,
    on_batch: OnBatch,
    *,
    run_id: UUID | None = None,
    force: bool = False,
    sample: Sample | None = None,
) -> None:
    """Compute the stale vectors of some videos' scenes. Fresh scenes are skipped, so a repeated call is safe.

    With `sample`, only its scenes and channels are computed. Raise LeaseLost when another worker has the work, and ModelUnavailable when
    a model cannot be used at all.
    """
    spaces = spec.ensure_spaces()
    steps = [configured for configured in spec.steps if isinstance(configured.step, SceneStep)]

    def select_tasks(step: Step) -> Tasks:
        assert isinstance(step, SceneStep)
        return _select_scene_tasks(step, videos, spaces, run_id=run_id, force=force, sample=sample)

    _run_steps(steps, spaces, select_tasks, lease, on_batch, run_id)


def embed_people(
    owner_id: UUID,
    spec: EffectiveSpec,
    lease: WorkLease,
    on_batch: OnBatch,
    *,
    photo_token: UUID | None = None,
    run_id: UUID | None = None,
    force: bool = False,
) -> None:
    """Compute the stale vectors of an owner's photos and people, as `embed_videos` does for scenes. Then match the owner's faces again.

    Photos in state PROCESSING are skipped, except those whose lease is `photo_token`: the caller has normalized them.
    """
    steps = [configured for configured in spec.steps if isinstance(configured.step, PeopleStep)]
    if not steps:
        return
    spaces = spec.ensure_spaces()

    def select_tasks(step: Step) -> Tasks:
        assert isinstance(step, PeopleStep)
        stale = filter_stale_people(
            step.target_type, owner_id, step.channel, spaces[step.channel], photo_token=photo_token, run_id=run_id, force=force
        )
        return list(step.select_tasks(stale, spaces))

    _run_steps([configured for configured in steps if configured.step.calls_model], spaces, select_tasks, lease, on_batch, run_id)
    derived = [configured for configured in steps if not configured.step.calls_model]
    batches: list[Batch] = []
    # In one transaction, so that if the worker dies, the query vectors stay stale and are computed again.
    with lease.transaction():
        lock_owner(owner_id)
        _run_steps(derived, spaces, select_tasks, lease, batches.append, run_id)
        match_faces(owner_id, spaces)
        # Last, because this locks the run's usage rows, which other workers need.
        for batch in batches:
            on_batch(batch)


def _run_steps(
    steps: Sequence[ConfiguredStep],
    spaces: Mapping[str, EmbeddingSpace],
    select_tasks: Callable[[Step], Tasks],
    lease: WorkLease,
    on_batch: OnBatch,
    run_id: UUID | None,
) -> None:
    for position, configured in enumerate(steps):
        step, tasks = configured.step, select_tasks(configured.step)
        progress = _Progress(lease, position, len(steps), len(tasks))
        # Close the generator at once when a write fails, so that no thread continues after the lease is lost.
        with closing(_compute_batches(configured, tasks, progress.report)) as batches:
            for batch in batches:
                step.upload_artifacts(batch.outcomes)
                with lease.transaction():
                    written = replace_embeddings(step.target_type, batch.outcomes, spaces, run_id)
                    step.persist(written, spaces)
                    on_batch(batch)
                progress.finished += len(batch.outcomes)
                progress.report()


def _select_scene_tasks(
    step: SceneStep,
    videos: Sequence[Video],
    spaces: Mapping[str, EmbeddingSpace],
    *,
    run_id: UUID | None,
    force: bool,
    sample: Sample | None,
) -> Tasks:
    ids = [video.pk for video in videos]
    stale = {channel: find_stale_scenes(ids, channel, spaces[channel], run_id=run_id, force=force) for channel in step.channels}
    tasks: Tasks = []
    for video in videos:
        stale_scenes = {channel: scenes.get(video.pk, frozenset()) for channel, scenes in stale.items()}
        if sample is not None:
            stale_scenes = {channel: scenes.intersection(sample.get(channel, ())) for channel, scenes in stale_scenes.items()}
        if any(stale_scenes.values()):
            tasks.extend(step.select_tasks(video, stale_scenes))
    return tasks


def _compute_batches(configured: ConfiguredStep, tasks: Tasks, heartbeat: Callable[[], None]) -> Generator[Batch]:
    """Yield the tasks that need no model, then batches of the model's size. Equal inputs of one owner are computed once."""
    step = configured.step
    empty = [Outcome(target, task) for target, task in tasks if not task.source]
    for start in range(0, len(empty), _EMPTY_BATCH):
        yield Batch(step.name, tuple(empty[start : start + _EMPTY_BATCH]))

    def build_sort_key(pair: tuple[Target, EmbeddingTask]) -> tuple[int, str, str]:
        task = pair[1]
        # Neighbors of similar length need the least padding.
        return (len(task.source), str(task.owner_id), task.input_hash)

    full = sorted((pair for pair in tasks if pair[1].source), key=build_sort_key)
    groups = [list(group) for _, group in groupby(full, key=build_sort_key)]
    if not groups:
        return
    model = configured.load_model()
    size = model.preferred_batch_size
    batches = (groups[start : start + size] for start in range(0, len(groups), size))
    yield from prefetch_and_compute(batches, partial(_prepare, step, model), partial(_compute, step, model), heartbeat)


def _prepare(step: Step, model: Embedder, group: Tasks) -> Any:
    """Return the model's input, or _Unusable with the reason.

    Equal inputs may have several files, such as the keyframes of two videos. One readable file is enough.
    """
    unusable = _Unusable("")
    for task in {task.source: task for _, task in group}.values():
        try:
            return step.prepare(task, model)
        except (InputMissing, ModelInputError) as error:
            if find_outage(error):
                # The input is not bad: it cannot be read now.
                raise error.__cause__ or error from None
            unusable = _Unusable(str(error))
        except Exception as error:  # noqa: BLE001 - the input fails with its reason.
            unusable = _explain(step, error)
    return unusable


def _compute(step: Step, model: Embedder, groups: Sequence[Tasks], prepared: list[Any]) -> Batch:
    calls, tokens, started = model.calls, model.tokens, monotonic()
    inputs = [value for value in prepared if not isinstance(value, _Unusable)]
    results = _embed(step, model, inputs)
    errors = [result.error for result in results if isinstance(result, _Unusable) and result.error]
    if len(errors) == len(results) >= _MIN_INPUTS_OF_BROKEN_MODEL:
        # Failures would replace vectors that are still good.
        raise ModelUnavailable(BROKEN.format(model=model.identity.model, error=errors[0]))
    remaining = iter(results)
    outcomes: list[Outcome] = []
    for group, value in zip(groups, prepared, strict=True):
        result = value if isinstance(value, _Unusable) else next(remaining)
        outcomes.extend(
            Outcome.from_result(target, task, result.reason if isinstance(result, _Unusable) else result) for target, task in group
        )
    return Batch(step.name, tuple(outcomes), len(inputs), model.calls - calls, model.tokens - tokens, monotonic() - started)


def _embed(step: Step, model: Embedder, inputs: list[Any], *, again: bool = False) -> list[Result | _Unusable]:
    """Return one result or reason per input.

    After an error that names no input, the batch is computed in halves, so that only the input that causes it fails. If it may have been
    an outage, a single input is tried `again` before it fails.
    """
    if not inputs:
        return []
    try:
        return list(step.embed(model, inputs))
    except InputsRejected as error:
        reasons = {position: _Unusable(reason) for position, reason in error.reasons.items()}
        return [reasons.get(position, vector) for position, vector in enumerate(error.vectors)]
    except Exception as error:
        is_outage = find_outage(error) is not None
        if is_outage and not is_fault_of_input(error, model):
            raise
        if len(inputs) == 1:
            # The outage of a moment may have ended before the server was asked.
            return _embed(step, model, inputs, again=True) if is_outage and not again else [_blame(step, error)]
    middle = len(inputs) // 2
    return [*_embed(step, model, inputs[:middle]), *_embed(step, model, inputs[middle:])]


def _explain(step: Step, error: Exception) -> _Unusable:
    """Return an error that an input has caused as the reason. Raise it again if it cannot be the input's fault."""
    if find_outage(error):
        raise error
    return _blame(step, error)


def _blame(step: Step, error: Exception) -> _Unusable:
    """Log an error that an input has caused, and return it as the reason."""
    log.warning("An input caused an unexpected error", step=step.name, exc_info=error)
    return _Unusable(explain_input_failure(error), describe_error(error))
