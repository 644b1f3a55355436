"""Snapshots of embedders: record the settings that vectors were made with, and load the same model from them later."""

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from heimdex.backends import build, get_embedder
from heimdex.embedders.base import Embedder, EmbedderIdentity
from heimdex.errors import ModelUnavailable

# Each may hold a model in memory. Search rarely needs more generations at the same time.
MAX_LOADED = 4

# `max_tokens` and the like are no secrets.
_SECRET_NAME = re.compile(r"(^|_)(key|token|secret|password)$")
_URL_WITH_PASSWORD = re.compile(r"^\w+://[^/@]*@")

NO_SETTINGS = "the settings of {model} were not recorded. Reprocess the embeddings."
CANNOT_LOAD = "{model} cannot be loaded from its recorded settings ({reason}). Reprocess the embeddings."
CHANGED = "{model} is a different model now ({current} instead of {recorded}). Restore it, or reprocess the embeddings."

_instances: OrderedDict[str, Embedder] = OrderedDict()
_lock = threading.Lock()


def snapshot_embedder(alias: str) -> dict[str, Any]:
    """Return the configured embedder of an alias as plain data: identity, class and options. Secrets are included by name only."""
    configured = settings.MODEL_BACKENDS[alias]
    options = configured["OPTIONS"]
    secret_names = {name for name, value in options.items() if _is_secret(name, value)}
    return {
        "alias": alias,
        **get_embedder(alias).identity.describe(),
        "class": configured["BACKEND"],
        "options": {name: value for name, value in options.items() if name not in secret_names},
        "secrets": sorted(name for name in secret_names if options[name]),
    }


def read_identity(snapshot: Mapping[str, Any]) -> EmbedderIdentity:
    """Return the identity of the model in a snapshot."""
    return EmbedderIdentity(
        snapshot["backend"], snapshot["model"], snapshot["revision"], snapshot["dimensions"], snapshot.get("code_version", 1)
    )


def load_embedder(snapshot: Mapping[str, Any]) -> Embedder:
    """Return the embedder of a snapshot: the configured one if it is the same model, otherwise one built from the snapshot.

    Weights are loaded on first use. Raise ModelUnavailable when the embedder cannot be built, or is no longer the recorded model, because
    vectors of two models are never compared.
    """
    recorded = read_identity(snapshot)
    configured = _find_configured(snapshot["alias"])
    if configured is not None and configured.identity == recorded:
        return configured
    model = _build_embedder(snapshot)
    if model.identity != recorded:
        raise ModelUnavailable(CHANGED.format(model=recorded.model, current=_format(model.identity), recorded=_format(recorded)))
    return model


def _find_configured(alias: str) -> Embedder | None:
    try:
        model = get_embedder(alias)
        # This may read the model's files, which may be missing.
        _ = model.identity
    except (ImproperlyConfigured, ModelUnavailable):
        return None
    return model


def _build_embedder(snapshot: Mapping[str, Any]) -> Embedder:
    if "class" not in snapshot:
        raise ModelUnavailable(NO_SETTINGS.format(model=snapshot["model"]))
    key = json.dumps(snapshot, sort_keys=True)
    with _lock:
        if key in _instances:
            _instances.move_to_end(key)
            return _instances[key]
        try:
            model = build(snapshot["class"], {**snapshot["options"], **_find_secrets(snapshot)}, of=snapshot["model"])
        except ImproperlyConfigured as error:
            raise ModelUnavailable(CANNOT_LOAD.format(model=snapshot["model"], reason=error)) from error
        if not isinstance(model, Embedder):
            raise ModelUnavailable(CANNOT_LOAD.format(model=snapshot["model"], reason=f"{snapshot['class']} is not an embedder"))
        _instances[key] = model
        while len(_instances) > MAX_LOADED:
            _instances.popitem(last=False)
        return model


def _find_secrets(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return the current values of the recorded secrets. A server that never received a key does not receive one now."""
    configured = settings.MODEL_BACKENDS.get(snapshot["alias"], {"BACKEND": "", "OPTIONS": {}})
    options = configured["OPTIONS"] if configured["BACKEND"] == snapshot["class"] else {}
    secrets = {name: options.get(name) or settings.MODEL_SECRETS.get(name) for name in snapshot["secrets"]}
    return {name: value for name, value in secrets.items() if value}


def _is_secret(name: str, value: object) -> bool:
    return bool(_SECRET_NAME.search(name)) or (isinstance(value, str) and bool(_URL_WITH_PASSWORD.match(value)))


def _format(identity: EmbedderIdentity) -> str:
    return " ".join(str(part) for part in (identity.model, identity.revision, f"{identity.dimensions}-d") if part)


def _clear_on_change(*, setting: str, **kwargs: object) -> None:
    if setting in ("MODEL_BACKENDS", "MODEL_SECRETS"):
        with _lock:
            _instances.clear()


setting_changed.connect(_clear_on_change)
