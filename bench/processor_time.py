"""Measure processor time: of the database server, and of the models that embed queries."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from heimdex.accounts.models import User


class ServerClock:
    """The processor time of the embedded server that this process is connected to, and of all its processes."""

    def __init__(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SHOW data_directory")
            pid = Path(cursor.fetchone()[0], "postmaster.pid").read_text().split()[0]
        self._postmaster = psutil.Process(int(pid))

    def read(self) -> float:
        """Return the seconds so far, also of processes that have ended."""
        own = self._postmaster.cpu_times()
        seconds = own.user + own.system + own.children_user + own.children_system
        for child in self._postmaster.children():
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            seconds += times.user + times.system
        return seconds


@contextmanager
def use_one_thread() -> Iterator[None]:
    """Let NumPy and Torch compute with one thread in a block. Threads that wait for more work take processor time for nothing."""
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)


def time_query_models(owner: "User", queries: Sequence[str]) -> float:
    """Return the mean seconds of processor time that the models of an owner's search take to embed a query."""
    from heimdex.embedders.snapshot import load_embedder
    from videos.channels import get_channel
    from videos.search.vectors import list_active_spaces

    spaces = [space for space in list_active_spaces(owner.pk) if get_channel(space.channel).searched_by_text]
    models = {load_embedder(space.embedder) for space in spaces}
    began = process_time()
    for query in queries:
        for model in models:
            model.embed_queries([query])
    return (process_time() - began) / len(queries)
