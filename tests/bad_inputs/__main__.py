"""`python -m tests.bad_inputs`: build the files, and list the expected answer of each."""

import sys

from tests import media
from tests.bad_inputs import build

# The port of the discard protocol, where nothing listens.
for bad in build(9, media.build_video((50,))):
    sys.stdout.write(f"{bad.kind:3} {bad.file:32} {bad.path.stat().st_size:10,} bytes  {bad.answer} {bad.code}\n")
