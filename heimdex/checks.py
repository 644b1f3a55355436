"""System checks of an installation. Those of the models run under `manage.py check --tag models` alone."""

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from heimdex.backends import backends

MODELS_TAG = "models"


def check_models(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report each configured model that cannot be had, one error per problem; loads no weights.

    Not registered by this module: migrations and web servers run all registered checks, and neither should fail for a model that
    only workers need. The command `check` registers it when asked for the tag.
    """
    return [
        Error(sentence, obj=f"MODEL_BACKENDS[{alias!r}]", id="heimdex.E001")
        for alias in settings.MODEL_BACKENDS
        for sentence in _problems(alias)
    ]


def _problems(alias: str) -> list[str]:
    try:
        problems: list[str] = backends[alias].check()
    except ImproperlyConfigured as error:
        return [str(error)]
    return problems
