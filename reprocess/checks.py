"""The system check that fails when a step has changed without a new spec version."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION
from reprocess.spec.lock import compute_digests, find_drift, read_lock


@register("spec")
def check_spec_lock(**kwargs: Any) -> list[CheckMessage]:
    """Report every step that differs from the lock of the latest spec version."""
    return [
        Error(
            sentence,
            hint=(
                "If its vectors change, raise the step's code_version and LATEST_EMBEDDING_SPEC_VERSION (reprocess/spec/latest.py); "
                "then run `manage.py spec --write-lock` and commit spec.lock.json."
            ),
            id="reprocess.E001",
        )
        for sentence in find_drift(read_lock(), compute_digests(), LATEST_EMBEDDING_SPEC_VERSION)
    ]
