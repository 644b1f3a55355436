"""Keep models in memory from test to test: one test that configures another model would have the next load all of them anew."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from heimdex.backends import build
from heimdex.profiles import CONSE, FASTER_WHISPER, RAPID_OCR, SENTENCE_TRANSFORMER, TAGS, YUNET_SFACE

# They remember nothing but what they have loaded, and how often they were called.
KEPT = frozenset({SENTENCE_TRANSFORMER, CONSE, TAGS, FASTER_WHISPER, RAPID_OCR, YUNET_SFACE})


@contextmanager
def kept_models() -> Iterator[None]:
    """Build each packaged model that is configured once for each set of options, whatever is configured in between."""
    made: dict[str, Any] = {}

    def build_once(path: str, options: dict[str, Any], **words: str) -> Any:
        if path not in KEPT:
            return build(path, options, **words)
        key = json.dumps([path, options], sort_keys=True, default=str)
        if key not in made:
            made[key] = build(path, options, **words)
        return made[key]

    with mock.patch("heimdex.backends.build", build_once):
        yield
