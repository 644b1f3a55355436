"""Stop workers at an exact place of the loop, from outside: in the database by a trigger that waits for a lock of the test's."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import psutil
import psycopg
from django.db import connection

from reprocess.models import ReprocessItem, ReprocessRun, RunCounter
from tests.acceptance.crashes.models import CountingServer
from videos.models import ActiveSpace, SceneEmbedding

_LOCK = 4711
_FUNCTION = """
CREATE OR REPLACE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF COALESCE((SELECT model_calls >= TG_ARGV[1]::integer FROM reprocess_reprocessrun WHERE id::text = TG_ARGV[0]), TRUE) THEN
        PERFORM pg_advisory_xact_lock_shared(4711);
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$"""
_WAITING = "SELECT client_port FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory' AND NOT granted"


@dataclass(frozen=True)
class Stage:
    """A place of the loop: the statement that is stopped there, and how many model calls of the run were committed before it.

    `repeats` says whether a batch is computed again after a crash there. Without a table it is the call of the model after so many.
    `at_commit` stops what ends the statement's transaction: that is done, though its worker is killed.
    """

    name: str
    table: type | None
    event: str
    condition: str
    calls: int
    repeats: bool
    at_commit: bool = False


STAGES = (
    Stage("claimed", ReprocessItem, "AFTER UPDATE", "NEW.state = 'running' AND NEW.run_id = '{run}'", 0, repeats=False),
    Stage("prepared", None, "", "", 1, repeats=True),
    Stage("computed", SceneEmbedding, "BEFORE INSERT", "NEW.run_id = '{run}'", 1, repeats=True),
    Stage("written", SceneEmbedding, "AFTER INSERT", "NEW.run_id = '{run}'", 1, repeats=True),
    Stage("counted", RunCounter, "AFTER UPDATE", "NEW.run_id = '{run}'", 1, repeats=False),
    Stage("before-cutover", ActiveSpace, "BEFORE DELETE", "OLD.owner_id = '{owner}'", 1, repeats=False),
    Stage("during-cutover", ActiveSpace, "AFTER INSERT", "NEW.owner_id = '{owner}'", 1, repeats=False),
    Stage("after-cutover", ReprocessRun, "BEFORE UPDATE", "NEW.state = 'succeeded' AND NEW.id = '{run}'", 1, repeats=False),
)


class Stops:
    """Holds the lock that stopped workers wait for; it is another connection's, so that the test's own may be closed and opened again."""

    def __init__(self, server: CountingServer) -> None:
        self._server = server
        at = connection.settings_dict
        self._address = {"host": at["HOST"], "port": at["PORT"], "user": at["USER"], "password": at["PASSWORD"], "dbname": at["NAME"]}
        self._lock = psycopg.connect(**self._address, autocommit=True)
        self._lock.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        self._triggers: list[tuple[str, str]] = []

    def install(self, stage: Stage, owner_id: UUID, word: str, run: ReprocessRun | None = None) -> None:
        """Stop whoever comes to this stage, with this run, from the commit of the current transaction on.

        `word` is in all that a model is asked about this owner.
        """
        if stage.table is None:
            self._server.hold(word, passing=stage.calls)
            return
        table, name = stage.table._meta.db_table, f"stop_{stage.name.replace('-', '_')}"  # type: ignore[attr-defined]
        run_id = run.pk if run else ""
        condition = stage.condition.format(run=run_id, owner=owner_id)
        constraint, deferred = ("CONSTRAINT", "DEFERRABLE INITIALLY DEFERRED") if stage.at_commit else ("", "")
        with connection.cursor() as cursor:
            cursor.execute(_FUNCTION)
            cursor.execute(
                f"CREATE {constraint} TRIGGER {name} {stage.event} ON {table} {deferred} FOR EACH ROW WHEN ({condition}) "
                f"EXECUTE FUNCTION wait_for_the_test('{run_id}', '{stage.calls}')"
            )
        self._triggers.append((table, name))

    def reached(self) -> int:
        """Return how many workers stand where they were to be stopped."""
        return len(self._waiting_ports()) + self._server.held.is_set()

    def stopped(self, keeper: int) -> set[int]:
        """Return the processes below a keeper that stand at a stage: those that wait for the lock, or for the model's answer."""
        ports, server_port = self._waiting_ports(), int(self._server.url.split(":")[2].split("/")[0])
        found = set()
        for process in psutil.Process(keeper).children(recursive=True):
            for link in process.net_connections("tcp"):
                if link.laddr.port in ports or (link.raddr and link.raddr.port == server_port and link.status == psutil.CONN_ESTABLISHED):
                    found.add(process.pid)
        return found

    def release(self) -> None:
        """Let everybody go on, and stop nobody any more."""
        # It ended with the server, if the test has killed that.
        with suppress(psycopg.OperationalError):
            self._lock.close()
        self._server.release()
        with psycopg.connect(**self._address, autocommit=True) as mending:
            for table, name in self._triggers:
                mending.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        self._triggers.clear()

    def _waiting_ports(self) -> set[int]:
        with closing(psycopg.connect(**self._address, autocommit=True)) as looking:
            return {port for (port,) in looking.execute(_WAITING)}


@contextmanager
def stops(server: CountingServer) -> Iterator[Stops]:
    """Yield what stops workers; at the end, nobody is stopped any more."""
    made = Stops(server)
    try:
        yield made
    finally:
        made.release()
