"""Entry point of the background process: `python -m heimdex.services.run_supervisor`."""

import logging
import sys

from heimdex.database.ports import pick_port
from heimdex.database.server import EmbeddedServer
from heimdex.environment import Environment
from heimdex.services.catalogue import migration, services
from heimdex.services.lock import LOCK_PATIENCE_S, hold_lock
from heimdex.services.processes import end_orphans
from heimdex.services.supervisor import ALREADY_RUNNING, Supervisor


def main() -> int:
    environment = Environment.load()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    with hold_lock(environment.home, patience_s=LOCK_PATIENCE_S) as held:
        if not held:
            logging.info("another supervisor runs already")
            return ALREADY_RUNNING
        # They may hold the very port that we want.
        end_orphans(environment.home)
        port = pick_port(environment.web_port)
        supervisor = Supervisor(
            environment.home,
            services(environment, port),
            url=f"http://127.0.0.1:{port}",
            server=None if environment.database_url else EmbeddedServer(environment.home),
            first=migration(environment),
        )
        return 1 if supervisor.run() else 0


if __name__ == "__main__":
    sys.exit(main())
