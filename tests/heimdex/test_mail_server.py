"""The URL of the mail server."""

import pytest

from heimdex.mail_server import MailServer


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://localhost", MailServer("smtp", "localhost", 25, "", "")),
        ("smtp://ann:x@127.0.0.1:2525", MailServer("smtp", "127.0.0.1", 2525, "ann", "x")),
        ("smtp://relay.example.org", MailServer("smtp", "relay.example.org", 25, "", "")),
        ("smtp+tls://ann%40example.org:p%2Fw@mail.example.org", MailServer("smtp+tls", "mail.example.org", 587, "ann@example.org", "p/w")),
        ("smtps://ann:x@mail.example.org", MailServer("smtps", "mail.example.org", 465, "ann", "x")),
    ],
)
def test_a_url_names_a_server_and_a_login(url: str, server: MailServer) -> None:
    assert MailServer.parse(url) == server


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mail.example.org", "it must start with smtp://, smtp"),
        ("smtp://", "the host is missing"),
        ("smtp://ann:pr1vate@mail:p/x", "its port is not a number"),
        ("smtp://ann:pr1vate@mail.example.org", "its password would be sent unencrypted"),
        ("smtp://ann:pr1vate@192.0.2.1", "its password would be sent unencrypted"),
    ],
)
def test_a_wrong_url_is_explained_without_its_password(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as raised:
        MailServer.parse(url)
    assert "pr1vate" not in str(raised.value)
