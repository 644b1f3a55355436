"""The length of the request lines that the web server accepts."""

from urllib.parse import quote

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import LimitRequestLine
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

from heimdex.services import gunicorn_hooks


def parse(target: str) -> Request:
    config = Config()
    config.set("limit_request_line", gunicorn_hooks.limit_request_line)
    return next(RequestParser(config, iter([f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()]), ("127.0.0.1", 1)))


@pytest.mark.parametrize("letter", ["a", "é", "海", "🐈"])
def test_a_search_for_a_thousand_characters_fits_with_all_its_filters(letter: str) -> None:
    people = "&person_id=00000000-0000-0000-0000-000000000000" * 20
    target = f"/v1/search?q={quote(letter * 1000)}{people}&cursor={'x' * 64}&limit=100"
    assert parse(target).uri == target


def test_an_endless_request_line_is_rejected() -> None:
    with pytest.raises(LimitRequestLine):
        parse("/" + "a" * gunicorn_hooks.limit_request_line)
