"""System checks of videos."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from videos.search.lexical.handler import DEFAULT, lexical_backends


@register("lexical")
def check_lexical_backends(**kwargs: Any) -> list[CheckMessage]:
    """Report each problem of the configured lexical backends. Connect to no server."""
    return [
        Error(sentence, obj=f"LEXICAL_BACKENDS[{alias!r}]", id="videos.E001")
        for alias in dict.fromkeys((DEFAULT, *settings.LEXICAL_BACKENDS))
        for sentence in _list_problems(alias)
    ]


def _list_problems(alias: str) -> list[str]:
    try:
        return lexical_backends[alias].check()
    except ImproperlyConfigured as error:
        return [str(error)]
