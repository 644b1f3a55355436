"""Lexical backends are built from the settings, and problems of the configuration are reported."""

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from videos.search.lexical.handler import get_lexical_backend, lexical_backends
from videos.search.lexical.postgres import PostgresLexical

POSTGRES = "videos.search.lexical.postgres.PostgresLexical"


def test_the_default_backend_is_built_once_and_again_after_a_change(settings: Settings) -> None:
    backend = get_lexical_backend()
    assert isinstance(backend, PostgresLexical)
    assert get_lexical_backend() is backend
    settings.LEXICAL_BACKENDS = {"default": {"BACKEND": POSTGRES}, "other": {"BACKEND": POSTGRES}}
    assert get_lexical_backend() is not backend
    assert lexical_backends["other"] is not get_lexical_backend()


@pytest.mark.parametrize(
    ("configured", "problem"),
    [
        ({}, "'default'"),
        ({"default": {}}, "'BACKEND' is missing"),
        ({"default": {"BACKEND": "videos.no.such.Backend"}}, "videos.no.such.Backend"),
        ({"default": {"BACKEND": POSTGRES, "OPTIONS": {"host": "x"}}}, "options that"),
        ({"default": {"BACKEND": "videos.search.fusion.RankedScene", "OPTIONS": {}}}, "RankedScene"),
        ({"default": {"BACKEND": "builtins.dict"}}, "a LexicalBackend is needed"),
    ],
)
def test_a_wrong_setting_is_reported_by_a_system_check(settings: Settings, configured: dict[str, object], problem: str) -> None:
    assert run_checks(tags=["lexical"]) == []
    settings.LEXICAL_BACKENDS = configured
    (error,) = run_checks(tags=["lexical"])
    assert error.id == "videos.E001"
    assert problem in error.msg
    with pytest.raises(ImproperlyConfigured):
        get_lexical_backend()
