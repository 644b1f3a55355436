"""Stop workers at an exact point of the loop, from outside: a database trigger waits for a lock that the test holds."""

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
    """A point of the loop: the statement that is stopped there, and how many model calls of the run are committed before it.

    `repeats` says whether a crash there repeats a batch. Without a table, the model call after `calls` others is stopped.
    `at_commit` stops the commit of the statement's transaction, which succeeds even if the worker is killed.
    """

    name: str
    table: type | None
    event: str
    condition: str
    calls: int
    repeats: bool
    at_commit: bool = False


STAGES = (
    Stage("acquired", ReprocessItem, "AFTER UPDATE", "NEW.state = 'running' AND NEW.run_id = '{run}'", 0, repeats=False),
    Stage("prepared", None, "", "", 1, repeats=True),
    Stage("computed", SceneEmbedding, "BEFORE INSERT", "NEW.run_id = '{run}'", 1, repeats=True),
    Stage("written", SceneEmbedding, "AFTER INSERT", "NEW.run_id = '{run}'", 1, repeats=True),
    Stage("counted", RunCounter, "AFTER UPDATE", "NEW.run_id = '{run}'", 1, repeats=False),
    Stage("before-cutover", ActiveSpace, "BEFORE DELETE", "OLD.owner_id = '{owner}'", 1, repeats=False),
    Stage("during-cutover", ActiveSpace, "AFTER INSERT", "NEW.owner_id = '{owner}'", 1, repeats=False),
    Stage("after-cutover", ReprocessRun, "BEFORE UPDATE", "NEW.state = 'succeeded' AND NEW.id = '{run}'", 1, repeats=False),
)


class Stops:
    """Holds the lock that stopped workers wait for, on its own connection, so that the test's connection can be closed and reopened."""

    def __init__(self, server: CountingServer) -> None:
        self._server = server
        database = connection.settings_dict
        self._address = {
            "host": database["HOST"],
            "port": database["PORT"],
            "user": database["USER"],
            "password": database["PASSWORD"],
            "dbname": database["NAME"],
        }
        self._lock = psycopg.connect(**self._address, autocommit=True)
        self._lock.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        self._triggers: list[tuple[str, str]] = []

    def install(self, stage: Stage, owner_id: UUID, word: str, run: ReprocessRun | None = None) -> None:
        """Stop every worker that reaches this stage of this run once the current transaction is committed.

        `word` is part of every model request about this owner.
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

    def count_stopped(self) -> int:
        """Count the workers that are stopped at a stage."""
        return len(self._list_waiting_ports()) + self._server.held.is_set()

    def find_stopped(self, cluster_pid: int) -> set[int]:
        """Return the stopped processes below a cluster's process: those that wait for the lock or for the model's answer."""
        ports, server_port = self._list_waiting_ports(), int(self._server.url.split(":")[2].split("/")[0])
        pids = set()
        for process in psutil.Process(cluster_pid).children(recursive=True):
            for link in process.net_connections("tcp"):
                if link.laddr.port in ports or (link.raddr and link.raddr.port == server_port and link.status == psutil.CONN_ESTABLISHED):
                    pids.add(process.pid)
        return pids

    def release(self) -> None:
        """Let all workers continue, and stop no others."""
        # The connection is lost if the test killed the server.
        with suppress(psycopg.OperationalError):
            self._lock.close()
        self._server.release()
        with psycopg.connect(**self._address, autocommit=True) as dropping:
            for table, name in self._triggers:
                dropping.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        self._triggers.clear()

    def _list_waiting_ports(self) -> set[int]:
        with closing(psycopg.connect(**self._address, autocommit=True)) as querying:
            return {port for (port,) in querying.execute(_WAITING)}


@contextmanager
def stop_workers(server: CountingServer) -> Iterator[Stops]:
    """Yield a `Stops`, and release all workers at the end."""
    stopper = Stops(server)
    try:
        yield stopper
    finally:
        stopper.release()
