"""Build the lexical backends of `settings.LEXICAL_BACKENDS`, one instance per alias and process, when they are first used."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from heimdex.backends import build
from videos.search.lexical.base import LexicalBackend

DEFAULT = "default"


class LexicalBackendHandler:
    """Map an alias to its backend, as `django.core.files.storage.storages` does."""

    def __init__(self) -> None:
        self._backends: dict[str, LexicalBackend] = {}
        self._searched = DEFAULT

    def __getitem__(self, alias: str) -> LexicalBackend:
        """Return the backend. Raise ImproperlyConfigured for an unknown alias, class or option. Do not connect to a server."""
        if alias not in self._backends:
            # Threads that get here at the same time each build a backend; the last one stays.
            self._backends[alias] = _build(alias)
        return self._backends[alias]

    @property
    def searched(self) -> LexicalBackend:
        """The backend that search uses."""
        return self[self._searched]

    @contextmanager
    def use(self, alias: str) -> Iterator[None]:
        """Search with another backend for a block, in the whole process. Commands that compare backends use it."""
        before, self._searched = self._searched, alias
        try:
            yield
        finally:
            self._searched = before

    def reset(self) -> None:
        """Drop all instances, so that changed settings take effect."""
        self._backends.clear()


lexical_backends = LexicalBackendHandler()


def get_lexical_backend() -> LexicalBackend:
    """Return the backend that search uses."""
    return lexical_backends.searched


def _build(alias: str) -> LexicalBackend:
    try:
        configured = settings.LEXICAL_BACKENDS[alias]
        path, options = configured["BACKEND"], configured.get("OPTIONS", {})
    except KeyError as error:
        raise ImproperlyConfigured(f"LEXICAL_BACKENDS[{alias!r}] is incomplete: {error} is missing.") from error
    backend = build(path, options, of=f"LEXICAL_BACKENDS[{alias!r}]", fix=": correct the setting.")
    if not isinstance(backend, LexicalBackend):
        raise ImproperlyConfigured(f"LEXICAL_BACKENDS[{alias!r}] is a {type(backend).__name__}, but a LexicalBackend is needed.")
    return backend


def _reset_on_change(*, setting: str, **kwargs: object) -> None:
    if setting == "LEXICAL_BACKENDS":
        lexical_backends.reset()


setting_changed.connect(_reset_on_change, dispatch_uid="videos.search.lexical")
