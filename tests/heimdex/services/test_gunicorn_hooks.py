"""The start of the web service, and its work before the first request."""

import signal
from pathlib import Path

import pytest

from tests.heimdex.web.service import run_web_service

pytestmark = [pytest.mark.usefixtures("django_db_setup", "packaged_models"), pytest.mark.integration]


def test_the_models_load_once_before_the_first_search_while_it_serves(tmp_path: Path) -> None:
    with run_web_service(tmp_path) as web:
        web.wait_until(web.is_healthy)
        assert "Search model loaded" not in web.log
        web.wait_until(lambda: web.log.count("Search model loaded") == 2)
        assert "all-MiniLM-L6-v2" in web.log
        assert web.is_healthy()


def test_it_stops_while_it_loads_models(tmp_path: Path) -> None:
    with run_web_service(tmp_path) as web:
        web.wait_until(web.is_healthy)
        web.process.send_signal(signal.SIGTERM)

        assert web.process.wait(10) == 0
        assert "Search model loaded" not in web.log
        assert "Traceback" not in web.log


def test_a_model_that_cannot_be_loaded_is_logged_and_the_service_continues(tmp_path: Path) -> None:
    with run_web_service(tmp_path, HEIMDEX_MODELS='{"text": {"model": "/nowhere"}}') as web:
        web.wait_until(lambda: "Search model loaded" in web.log)
        assert 'There is no directory /nowhere: correct "model" in HEIMDEX_MODELS.' in web.log
        assert "Traceback" not in web.log
        assert web.is_healthy()
