"""Which specs running workers hold: a worker leaves a run of another spec to them, and a run that nobody can do says so and waits."""

from datetime import datetime, timedelta
from time import monotonic, sleep

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from heimdex.errors import ModelUnavailable
from heimdex.queue import is_stopping
from reprocess.models import ReprocessItem, ReprocessRun, WorkerSpec
from reprocess.runs.state import enqueue_run
from reprocess.spec import EffectiveSpec, get_effective_spec
from reprocess.spec.historical import load_recorded_spec

log = structlog.get_logger(__name__)

# Each process reports its spec every 15 seconds.
_REPORTED_WITHIN = timedelta(seconds=45)
# A worker that leaves a run to others takes no task for this long, so that one of them gets it.
_HOLD_OFF_S = 3.0
NOBODY = (
    "No worker has the spec of this run (version {version}, {digest}), so the run waits for one. Start workers with the release and the "
    "models of that spec, or cancel the run and start a new one. Vectors that are already up to date are not computed again."
)
# These runs update active spaces, which may not match the current configuration. Code of several releases may be able to do them.
_UPDATES_ACTIVE = (ReprocessRun.EntryPoint.ROLLBACK, ReprocessRun.EntryPoint.EDIT)


def load_spec(run: ReprocessRun) -> EffectiveSpec | None:
    """Return the spec of a run. Return None when this worker's steps or models differ from it."""
    spec = get_effective_spec()
    if spec.digest == run.spec_id:
        return spec
    return load_recorded_spec(run.spec) if run.entry_point in _UPDATES_ACTIVE else None


def report_spec() -> EffectiveSpec | None:
    """Record that this process's workers hold its spec, and return the spec. Return None when its models are not available."""
    try:
        spec = get_effective_spec()
    except (ModelUnavailable, ImproperlyConfigured) as error:
        log.error("These workers can do no run", reason=str(error))
        return None
    WorkerSpec.objects.update_or_create(digest=spec.digest, defaults={"version": spec.version, "reported_at": timezone.now()})
    return spec


def leave_to_others(run: ReprocessRun) -> None:
    """Leave a run to the workers that hold its spec. If there are none, let the run say so."""
    if not WorkerSpec.objects.filter(digest=run.spec_id, reported_at__gte=timezone.now() - _REPORTED_WITHIN).exists():
        # The rescue of the first process with the spec finds a run that was never woken.
        _explain(run, woken_at=None if run.entry_point not in _UPDATES_ACTIVE else run.woken_at)
        return
    enqueue_run(run.pk)
    deadline = monotonic() + _HOLD_OFF_S
    while monotonic() < deadline and not is_stopping():
        sleep(0.1)


def select_runs_for(spec: EffectiveSpec | None) -> QuerySet[ReprocessRun]:
    """Return the open runs that workers with a spec can do, or may be able to do."""
    runs = ReprocessRun.objects.filter(state__in=ReprocessRun.OPEN)
    return runs.filter(spec=spec.digest) | runs.filter(entry_point__in=_UPDATES_ACTIVE) if spec else runs.none()


def explain_waiting_runs() -> None:
    """Let open runs without a lease whose spec no worker holds say so. Their workers may have been killed."""
    since = timezone.now() - _REPORTED_WITHIN
    held = WorkerSpec.objects.filter(reported_at__gte=since).values("digest")
    runs = ReprocessRun.objects.filter(state__in=ReprocessRun.OPEN, error="", created_at__lt=since).exclude(spec__in=held)
    leased = ReprocessItem.objects.filter(run=OuterRef("pk"), lease_expires_at__gte=timezone.now())
    for run in runs.filter(~Exists(leased)).exclude(entry_point__in=_UPDATES_ACTIVE):
        _explain(run, woken_at=None)


def _explain(run: ReprocessRun, *, woken_at: datetime | None) -> None:
    reason = NOBODY.format(version=run.spec_version, digest=run.spec_id[:8])
    ReprocessRun.objects.filter(pk=run.pk, state__in=ReprocessRun.OPEN).update(error=reason, woken_at=woken_at)
    log.warning("A run waits for a worker with its spec", run_id=str(run.pk), spec_version=run.spec_version, spec=run.spec_id[:8])
