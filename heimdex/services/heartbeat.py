"""Heartbeats: a file that the process of a queue's workers touches every second, so that others see whether it works.

`python -m heimdex.services.heartbeat QUEUE` is the health check of such a process: exit code 0, or 1 and the reason.
"""

import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# The process also runs recurring tasks, which wait for the database on a busy machine.
MAX_SILENCE_S = 120.0


@dataclass(frozen=True)
class Heartbeat:
    """The heartbeat of a process: its file, and the seconds without one after which the process counts as frozen."""

    path: Path
    max_silence_s: float = MAX_SILENCE_S

    @classmethod
    def of(cls, home: Path, queue: str) -> "Heartbeat":
        """Return the heartbeat of the process that owns a queue's workers. A home has one such process per queue."""
        return cls(home / "run" / f"{queue}.heartbeat")

    def beat(self) -> None:
        """Record that the process works."""
        # Without a file, others consider the process frozen, which is right on a disk that cannot be written.
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()

    def measure_silence_s(self) -> float | None:
        """Return the seconds since the last heartbeat, or None when there never was one."""
        try:
            return max(time.time() - self.path.stat().st_mtime, 0.0)
        except OSError:
            return None

    def find_problem(self) -> str:
        """Return why the process cannot be considered working, in one sentence, or an empty string."""
        silence_s = self.measure_silence_s()
        if silence_s is None:
            return f"{self.path} does not exist: the process has not started."
        return f"The process has done nothing for {silence_s:.0f} s: restart it." if silence_s > self.max_silence_s else ""


def main() -> None:
    """Check the process of the queue that the command line names."""
    from heimdex.environment import Environment

    sys.exit(Heartbeat.of(Environment().home, sys.argv[1]).find_problem() or 0)


if __name__ == "__main__":
    main()
