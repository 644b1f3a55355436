"""The rows of reprocessing: specs that were used, runs, their items, counters and failures."""

from reprocess.models.cutover import Cutover
from reprocess.models.item import ReprocessFailure, ReprocessItem
from reprocess.models.run import ReprocessRun, RunCounter, StepUse
from reprocess.models.spec import EmbeddingSpec

__all__ = ["Cutover", "EmbeddingSpec", "ReprocessFailure", "ReprocessItem", "ReprocessRun", "RunCounter", "StepUse"]
