"""Entry point of the background process: `python -m heimdex.services.run_supervisor`."""

import logging
import sys

from heimdex.database.server import EmbeddedServer, pick_port
from heimdex.environment import Environment
from heimdex.services.definitions import define_migration, define_services
from heimdex.services.processes import kill_orphans
from heimdex.services.state import LOCK_TIMEOUT_S, hold_supervisor_lock
from heimdex.services.supervisor import ALREADY_RUNNING, Supervisor


def main() -> int:
    environment = Environment.load()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    with hold_supervisor_lock(environment.home, timeout_s=LOCK_TIMEOUT_S) as is_acquired:
        if not is_acquired:
            logging.info("another supervisor is already running")
            return ALREADY_RUNNING
        # They may hold the very port that we want.
        kill_orphans(environment.home)
        port = pick_port(environment.web_port)
        supervisor = Supervisor(
            environment.home,
            define_services(environment, port),
            url=f"http://127.0.0.1:{port}",
            server=None if environment.database_url else EmbeddedServer(environment.home),
            migration=define_migration(environment),
        )
        return 1 if supervisor.run() else 0


if __name__ == "__main__":
    sys.exit(main())
