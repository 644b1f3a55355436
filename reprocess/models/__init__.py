"""The models of reprocessing: specs, runs with their items, counters and failures, cutovers, and the specs of workers."""

from reprocess.models.cutover import Cutover
from reprocess.models.item import ReprocessFailure, ReprocessItem
from reprocess.models.run import EmbeddingSpec, ReprocessRun, RunCounter, StepUse
from reprocess.models.trial import Trial
from reprocess.models.worker_spec import WorkerSpec

__all__ = ["Cutover", "EmbeddingSpec", "ReprocessFailure", "ReprocessItem", "ReprocessRun", "RunCounter", "StepUse", "Trial", "WorkerSpec"]
