"""The settings of an installation, but recurring tasks run every second, and no faces are grouped."""

from dataclasses import replace

# Once for all workers, before they are forked, and not in each of them, which would keep a small machine busy for long.
import openai
import openai.resources  # noqa: F401
import PIL.JpegImagePlugin  # noqa: F401

from heimdex.settings import *  # noqa: F403
from heimdex.settings import QUEUE_TASKS

# Nothing waits for groups, and every worker that makes some loads scikit-learn first.
_GROUPING = "people.tasks.find_ungrouped_faces"
QUEUE_TASKS = [replace(task, every_s=1) if task.every_s else task for task in QUEUE_TASKS if task.path != _GROUPING]
