"""`python -m bench.one_pass FILE`: find a video's scenes in a process of its own, and print its peak memory in bytes."""

import resource
import sys
from pathlib import Path

from heimdex.media.probe import probe
from heimdex.media.scenes import iter_scenes

if __name__ == "__main__":
    file = Path(sys.argv[1])
    for _ in iter_scenes(file, probe(file)):
        pass
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
