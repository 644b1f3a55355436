"""The settings of workers with short waits, whose ingest has a stage that may hang and needs no model."""

from tests.acceptance.crashes.impatient_settings import *  # noqa: F403
from tests.acceptance.crashes.impatient_settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.acceptance.hanging.HangingConfig"]
