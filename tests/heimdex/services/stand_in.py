"""A supervisor of stand-in services, run in its own process: `python -m tests.heimdex.services.stand_in HOME BEHAVIOR`.

The real services need models and minutes; the supervision tested here does not depend on what they do.
"""

import logging
import sys
from dataclasses import replace
from pathlib import Path

from heimdex.database.server import EmbeddedServer
from heimdex.services import supervisor
from heimdex.services.definitions import Service
from heimdex.services.heartbeat import Heartbeat
from heimdex.services.processes import kill_orphans
from heimdex.services.state import LOCK_TIMEOUT_S, hold_supervisor_lock

# A main process with a helper, as a cluster has workers. Both record the signals that they receive in the given file.
HELPER = """
import signal, sys, time
def note(*_):
    with open(sys.argv[1], "a") as file:
        print("helper got SIGTERM", file=file)
signal.signal(signal.SIGTERM, note)
while True:
    time.sleep(600)
"""
FAMILY = """
import signal, subprocess, sys, time
path, helper, *flags = sys.argv[1:]
def note(text):
    with open(path, "a") as file:
        print(text, file=file)
def stop(*_):
    note("main got SIGTERM")
    if "stubborn" not in flags:
        sys.exit(0)
signal.signal(signal.SIGTERM, stop)
note(f"helper {subprocess.Popen([sys.executable, '-c', helper, path]).pid}")
while True:
    time.sleep(600)
"""


def define_family(home: Path, *flags: str) -> Service:
    notes = home / "family.txt"
    return Service("family", (sys.executable, "-c", FAMILY, str(notes), HELPER, *flags), home, is_ready=lambda _: notes.exists())


def main(home: Path, behavior: str) -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    supervisor.STOP_TIMEOUT_S = 1.0
    services = {
        "dying": [Service("dying", (sys.executable, "-c", "print('out of cheese'); raise SystemExit(3)"), home, is_ready=lambda _: False)],
        # It sends a heartbeat at its start only.
        "silent": [replace(define_family(home), heartbeat=Heartbeat(home / "family.txt", max_silence_s=2))],
        "stubborn": [define_family(home, "stubborn")],
    }.get(behavior, [define_family(home)])
    migration = (
        Service("migrate", (sys.executable, "-c", "raise SystemExit('no such table')"), home) if behavior == "no migration" else None
    )
    server = EmbeddedServer(home) if behavior == "database" else None
    with hold_supervisor_lock(home, timeout_s=LOCK_TIMEOUT_S) as is_acquired:
        if not is_acquired:
            return supervisor.ALREADY_RUNNING
        kill_orphans(home)
        return 1 if supervisor.Supervisor(home, services, url="http://stand-in", server=server, migration=migration).run() else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
