"""The system check that fails when a step or a model has changed without a new version."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION
from reprocess.spec.lock import compute_digests, find_drift, find_model_drift, lock_models, read_lock


@register("spec")
def check_spec_lock(**kwargs: Any) -> list[CheckMessage]:
    """Report every step that differs from the lock of the latest spec version, and every model that differs from its lock."""
    locked = read_lock()
    steps = [
        Error(
            sentence,
            hint=(
                "If its vectors change, raise the step's code_version and LATEST_EMBEDDING_SPEC_VERSION (reprocess/spec/latest.py); "
                "then run `manage.py spec --write-lock` and commit spec.lock.json."
            ),
            id="reprocess.E001",
        )
        for sentence in find_drift(locked, compute_digests(), LATEST_EMBEDDING_SPEC_VERSION)
    ]
    models = [
        Error(
            sentence,
            hint=(
                "If its vectors change, raise `code_version` of its class, which makes them stale; "
                "then run `manage.py spec --write-lock` and commit spec.lock.json."
            ),
            id="reprocess.E002",
        )
        for sentence in find_model_drift(locked, lock_models())
    ]
    return [*steps, *models]
