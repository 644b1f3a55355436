"""The system check that keeps a changed step from running under an old version."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from reprocess.lock import current_digests, drift, read_lock
from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION


@register("spec")
def check_spec_lock(**kwargs: Any) -> list[CheckMessage]:
    """Fail when a step is not what the lock recorded for the latest spec version."""
    return [
        Error(
            sentence,
            hint=(
                "If its vectors change, raise the step's code_version and LATEST_EMBEDDING_SPEC_VERSION (reprocess/spec.py); "
                "then run `manage.py spec --write-lock` and commit spec.lock.json."
            ),
            id="reprocess.E001",
        )
        for sentence in drift(read_lock(), current_digests(), LATEST_EMBEDDING_SPEC_VERSION)
    ]
