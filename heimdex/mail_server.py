"""The mail server that HEIMDEX_EMAIL_URL names. Pure, and free of Django, because the environment is validated with it."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Self
from urllib.parse import unquote, urlsplit

# The default port of each scheme: plain, plain that changes to TLS (STARTTLS), and TLS.
_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


@dataclass(frozen=True)
class MailServer:
    """An SMTP server and the login for it, if it needs one."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL such as `smtp+tls://user:password@host:587`. Raise ValueError otherwise, without a part that could be a password."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("its port is not a number (percent-encode special characters of the password)") from None
        if parts.scheme not in _PORTS:
            raise ValueError(f"it must start with {', '.join(f'{scheme}://' for scheme in _PORTS)}")
        if not parts.hostname:
            raise ValueError("the host is missing")
        server = cls(
            parts.scheme, parts.hostname, port or _PORTS[parts.scheme], unquote(parts.username or ""), unquote(parts.password or "")
        )
        if server.password and server.scheme == "smtp" and not _is_this_machine(server.host):
            raise ValueError("its password would be sent unencrypted; use smtp+tls:// or smtps://")
        return server


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
