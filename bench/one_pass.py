"""`python -m bench.one_pass FILE`: detect a video's scenes in a separate process, and print its peak memory in bytes."""

import re
import sys
from pathlib import Path

from heimdex.media.probe import probe
from heimdex.media.scenes import iter_scenes


def read_peak_bytes() -> int:
    """Return the peak memory of this process. `getrusage` would include the peak of the parent process."""
    match = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    if match is None:
        raise RuntimeError("This system does not report peak memory. Run this benchmark on Linux.")
    return int(match[1]) * 1024


if __name__ == "__main__":
    file = Path(sys.argv[1])
    for _ in iter_scenes(file, probe(file)):
        pass
    print(read_peak_bytes())
