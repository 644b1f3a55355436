"""The models of reprocessing: recorded specs, runs with their items, counters and failures, and cutovers."""

from reprocess.models.cutover import Cutover
from reprocess.models.item import ReprocessFailure, ReprocessItem
from reprocess.models.run import ReprocessRun, RunCounter, StepUse
from reprocess.models.spec import EmbeddingSpec

__all__ = ["Cutover", "EmbeddingSpec", "ReprocessFailure", "ReprocessItem", "ReprocessRun", "RunCounter", "StepUse"]
