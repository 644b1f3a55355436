"""The models that vectors were made with: what is kept of a model's settings, and the model built again from that."""

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from heimdex.backends import build, embedder
from heimdex.embedders.base import Embedder, EmbedderIdentity
from heimdex.embedders.errors import EmbedderUnavailable

# Each may hold a model in memory; more generations than these are rarely searched at once.
MOST_KEPT = 4

# `max_tokens` and the like are no secrets.
_SECRET_NAME = re.compile(r"(^|_)(key|token|secret|password)$")
_ADDRESS_WITH_PASSWORD = re.compile(r"^\w+://[^/@]*@")

UNKNOWN = "nothing is recorded of how {model} was set up. Reprocess the embeddings."
CANNOT_BUILD = "{model} cannot be set up again here ({reason}). Reprocess the embeddings."
ANOTHER = "what is set up as {model} is another model now ({now} instead of {then}). Bring it back, or reprocess the embeddings."

_instances: OrderedDict[str, Embedder] = OrderedDict()
_lock = threading.Lock()


def record_of(alias: str) -> dict[str, Any]:
    """Return the configured embedder of an alias as plain data: its identity, class and options; of secrets, the names alone."""
    configured = settings.MODEL_BACKENDS[alias]
    given = configured["OPTIONS"]
    secret = {name for name, value in given.items() if _is_secret(name, value)}
    return {
        "alias": alias,
        **asdict(embedder(alias).identity),
        "class": configured["BACKEND"],
        "options": {name: value for name, value in given.items() if name not in secret},
        "secrets": sorted(name for name in secret if given[name]),
    }


def identity_in(record: Mapping[str, Any]) -> EmbedderIdentity:
    """Return which model a record is about."""
    return EmbedderIdentity(record["backend"], record["model"], record["revision"], record["dimensions"])


def embedder_of(record: Mapping[str, Any]) -> Embedder:
    """Return the embedder of a record: the configured one when it is the same model, otherwise one built from the record.

    Loads no model. EmbedderUnavailable when it cannot be built, or when what is built is no longer the recorded model: vectors of
    two models are never compared.
    """
    then = identity_in(record)
    configured = _configured(record["alias"])
    if configured is not None and configured.identity == then:
        return configured
    model = _built(record)
    if model.identity != then:
        raise EmbedderUnavailable(ANOTHER.format(model=then.model, now=_in_words(model.identity), then=_in_words(then)))
    return model


def _configured(alias: str) -> Embedder | None:
    try:
        model = embedder(alias)
        # It may have to read the model's files, which may be gone.
        _ = model.identity
    except (ImproperlyConfigured, EmbedderUnavailable):
        return None
    return model


def _built(record: Mapping[str, Any]) -> Embedder:
    if "class" not in record:
        raise EmbedderUnavailable(UNKNOWN.format(model=record["model"]))
    key = json.dumps(record, sort_keys=True)
    with _lock:
        if key in _instances:
            _instances.move_to_end(key)
            return _instances[key]
        try:
            model = build(record["class"], {**record["options"], **_secrets(record)}, of=record["model"])
        except ImproperlyConfigured as error:
            raise EmbedderUnavailable(CANNOT_BUILD.format(model=record["model"], reason=error)) from error
        if not isinstance(model, Embedder):
            raise EmbedderUnavailable(CANNOT_BUILD.format(model=record["model"], reason=f"{record['class']} is no embedder"))
        _instances[key] = model
        while len(_instances) > MOST_KEPT:
            _instances.popitem(last=False)
        return model


def _secrets(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return today's secrets for a model that had some: a server that was never sent a key is not sent one now."""
    configured = settings.MODEL_BACKENDS.get(record["alias"], {"BACKEND": "", "OPTIONS": {}})
    options = configured["OPTIONS"] if configured["BACKEND"] == record["class"] else {}
    found = {name: options.get(name) or settings.MODEL_SECRETS.get(name) for name in record["secrets"]}
    return {name: value for name, value in found.items() if value}


def _is_secret(name: str, value: object) -> bool:
    return bool(_SECRET_NAME.search(name)) or (isinstance(value, str) and bool(_ADDRESS_WITH_PASSWORD.match(value)))


def _in_words(identity: EmbedderIdentity) -> str:
    return " ".join(str(part) for part in (identity.model, identity.revision, f"{identity.dimensions}-d") if part)


def _forget_on_change(*, setting: str, **kwargs: object) -> None:
    if setting in ("MODEL_BACKENDS", "MODEL_SECRETS"):
        with _lock:
            _instances.clear()


setting_changed.connect(_forget_on_change)
