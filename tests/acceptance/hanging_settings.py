"""The settings of impatient workers, whose ingest has a stage that may hang and no model."""

from tests.acceptance.crashes.impatient_settings import *  # noqa: F403
from tests.acceptance.hanging import STAGES

INGEST_STAGES = STAGES
