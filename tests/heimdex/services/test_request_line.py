"""The length of the request lines that the web server accepts."""

from urllib.parse import quote

import pytest
from gunicorn.asgi.parser import LimitRequestLine, PythonProtocol

from heimdex.services import gunicorn_hooks


def parse(target: str) -> str:
    parser = PythonProtocol(limit_request_line=gunicorn_hooks.limit_request_line)
    parser.feed(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return parser.path.decode()


@pytest.mark.parametrize("letter", ["a", "é", "海", "🐈"])
def test_a_search_for_a_thousand_characters_fits_with_all_its_filters(letter: str) -> None:
    people = "&person_id=00000000-0000-0000-0000-000000000000" * 20
    target = f"/v1/search?q={quote(letter * 1000)}{people}&cursor={'x' * 64}&limit=100"
    assert parse(target) == target


def test_an_endless_request_line_is_rejected() -> None:
    with pytest.raises(LimitRequestLine):
        parse("/" + "a" * gunicorn_hooks.limit_request_line)
