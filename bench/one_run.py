"""`python -m bench.one_run RUN_ID`: work on a run in a process of its own, whose memory is nobody else's."""

import sys
from uuid import UUID

import django

if __name__ == "__main__":
    django.setup()
    from reprocess.worker import work

    work(UUID(sys.argv[1]))
