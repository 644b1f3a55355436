"""A supervisor of stand-in services, run as a process of its own: `python -m tests.heimdex.services.stand_in HOME BEHAVIOUR`.

The real services need models and minutes; what is shown here is the supervision, which does not depend on what they do.
"""

import logging
import sys
from pathlib import Path

from heimdex.database.server import EmbeddedServer
from heimdex.services import supervisor
from heimdex.services.lock import LOCK_PATIENCE_S, hold_lock
from heimdex.services.processes import end_orphans
from heimdex.services.service import Service

# A main process with a helper, as a cluster has workers. Both write down what reaches them, into the file that they are given.
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


def family(home: Path, *flags: str) -> Service:
    notes = home / "family.txt"
    return Service("family", (sys.executable, "-c", FAMILY, str(notes), HELPER, *flags), home, is_ready=lambda _: notes.exists())


def main(home: Path, behaviour: str) -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    supervisor.GRACE_S = 1.0
    services = {
        "dying": [Service("dying", (sys.executable, "-c", "print('out of cheese'); raise SystemExit(3)"), home, is_ready=lambda _: False)],
        "stubborn": [family(home, "stubborn")],
    }.get(behaviour, [family(home)])
    first = Service("migrate", (sys.executable, "-c", "raise SystemExit('no such table')"), home) if behaviour == "no migration" else None
    server = EmbeddedServer(home) if behaviour == "database" else None
    with hold_lock(home, patience_s=LOCK_PATIENCE_S) as held:
        if not held:
            return supervisor.ALREADY_RUNNING
        end_orphans(home)
        return 1 if supervisor.Supervisor(home, services, url="http://stand-in", server=server, first=first).run() else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
