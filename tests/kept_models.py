"""Keep models in memory between tests: otherwise a test that configures another model makes the next test load all models again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from heimdex.backends import build
from heimdex.profiles import CONSE, FASTER_WHISPER, RAPID_OCR, SENTENCE_TRANSFORMER, TAGS, UNIVERSAL_SENTENCE_ENCODER, YUNET_SFACE

# Their only state is the loaded model and a count of calls.
KEPT = frozenset({SENTENCE_TRANSFORMER, CONSE, TAGS, FASTER_WHISPER, RAPID_OCR, UNIVERSAL_SENTENCE_ENCODER, YUNET_SFACE})


@contextmanager
def keep_models() -> Iterator[None]:
    """Build each packaged model once per set of options, even if another configuration is active in between."""
    built: dict[str, Any] = {}

    def build_once(path: str, options: dict[str, Any], **words: str) -> Any:
        if path not in KEPT:
            return build(path, options, **words)
        key = json.dumps([path, options], sort_keys=True, default=str)
        if key not in built:
            built[key] = build(path, options, **words)
        return built[key]

    with mock.patch("heimdex.backends.build", build_once):
        yield
