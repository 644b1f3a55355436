"""`python -m bench.one_pass FILE`: find a video's scenes in a process of its own, and print its peak memory in bytes."""

import re
import sys
from pathlib import Path

from heimdex.media.probe import probe
from heimdex.media.scenes import iter_scenes


def peak_bytes() -> int:
    """Return the most memory that this process has held; what `getrusage` says begins with that of the process that started it."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError("This system does not say how much memory a process has held: measure on Linux.")
    return int(found[1]) * 1024


if __name__ == "__main__":
    file = Path(sys.argv[1])
    for _ in iter_scenes(file, probe(file)):
        pass
    print(peak_bytes())
