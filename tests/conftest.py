"""What every test stands on: a real PostgreSQL with pgvector in a home of its own, started once for the whole suite."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

# Before Django reads its settings: nothing of the developer's own installation may be touched.
for _name in [name for name in os.environ if name.startswith("HEIMDEX_")]:
    del os.environ[_name]
_HOME = tempfile.TemporaryDirectory(prefix="heimdex-tests-")
os.environ["HEIMDEX_HOME"] = _HOME.name
# Most tests of runs count the channels of texts and pictures; those of people switch faces on (`faces_on`), installations have them on.
os.environ["HEIMDEX_FACES"] = "off"
os.environ["DJANGO_SETTINGS_MODULE"] = "heimdex.settings"

from django.test import override_settings  # noqa: E402

from demo.film import DemoFilm, film_scenes  # noqa: E402
from heimdex.database.server import EmbeddedServer  # noqa: E402
from heimdex.profiles import YUNET_SFACE  # noqa: E402
from tests import media  # noqa: E402
from tests.kept_models import kept_models  # noqa: E402

_SERVER = EmbeddedServer(Path(_HOME.name), durable=False)
os.environ["HEIMDEX_DATABASE_URL"] = _SERVER.start().url

import django  # noqa: E402

django.setup()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server, whatever became of the tests."""
    _SERVER.stop()
    _HOME.cleanup()


@pytest.fixture(scope="session")
def demo_film() -> DemoFilm:
    """Return the demo film, whose cuts and words are known."""
    return DemoFilm(media.demo_film(), film_scenes())


@pytest.fixture(scope="session", autouse=True)
def models_stay_loaded() -> Iterator[None]:
    """Have each packaged model loaded once for all tests."""
    with kept_models():
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Have passwords hashed at the least cost."""
    with override_settings(PASSWORD_HASHERS=["tests.quick_hasher.QuickHasher"]):
        yield


@pytest.fixture
def faces_on(settings: Settings) -> None:
    """Have faces looked for, with the packaged model."""
    settings.MODEL_BACKENDS = {**settings.MODEL_BACKENDS, "faces": {"BACKEND": YUNET_SFACE, "OPTIONS": {}}}
