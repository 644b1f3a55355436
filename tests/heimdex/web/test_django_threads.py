"""The WSGI variables of a request."""

from io import BytesIO
from typing import Any

from heimdex.web.django_threads import build_environ


def make_scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "method": "GET",
        "raw_path": b"/a%20b/%C3%A4",
        "query_string": b"q=%C3%A4",
        "http_version": "1.1",
        "scheme": "https",
        "server": ("localhost", 8000),
        "client": ("192.0.2.1", 5000),
        "headers": list(headers),
    }


def test_the_path_is_decoded_and_the_query_is_not() -> None:
    environ = build_environ(make_scope(), BytesIO())
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/a b/ä"
    assert environ["QUERY_STRING"] == "q=%C3%A4"
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], environ["SERVER_PORT"]) == ("192.0.2.1", "https", "8000")


def test_headers_of_one_name_are_joined() -> None:
    headers = ((b"accept", b"a"), (b"accept", b"b"), (b"cookie", b"c=1"), (b"cookie", b"d=2"), (b"content-length", b"5"))
    environ = build_environ(make_scope(*headers), BytesIO())
    assert (environ["HTTP_ACCEPT"], environ["HTTP_COOKIE"], environ["CONTENT_LENGTH"]) == ("a,b", "c=1; d=2", "5")


def test_a_header_with_an_underscore_does_not_pass_for_another() -> None:
    headers = ((b"x_forwarded_for", b"203.0.113.9"), (b"x-forwarded-for", b"192.0.2.1"), (b"content_length", b"7"))
    environ = build_environ(make_scope(*headers), BytesIO())
    assert environ["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"
    assert "CONTENT_LENGTH" not in environ
