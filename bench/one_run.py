"""`python -m bench.one_run RUN_ID`: work on a run in a separate process, so that its memory can be measured."""

import sys
from uuid import UUID

import django

if __name__ == "__main__":
    django.setup()
    from reprocess.runs.worker import run_worker

    run_worker(UUID(sys.argv[1]))
