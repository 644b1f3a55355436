"""The models of reprocessing: specs, runs with their items, counters and failures, and cutovers."""

from reprocess.models.cutover import Cutover
from reprocess.models.item import ReprocessFailure, ReprocessItem
from reprocess.models.run import EmbeddingSpec, ReprocessRun, RunCounter, StepUse

__all__ = ["Cutover", "EmbeddingSpec", "ReprocessFailure", "ReprocessItem", "ReprocessRun", "RunCounter", "StepUse"]
