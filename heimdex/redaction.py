"""Remove secrets from texts that leave the process: log records and stored errors. Pure, but for the registered secrets."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

REDACTED = "[redacted]"
# Shorter values would be found inside ordinary words.
MIN_SECRET_LENGTH = 8

_NAMES = (
    r"(?:[\w-]*[_-])?"
    r"(?:pass(?:word|wd|phrase)?\d?|pwd|secrets?|token|api_?key|access_?key|secret_?key|private_?key"
    r"|authorization|cookie|sessionid|csrftoken|dsn|credentials?|signature|t?otp|recovery_?codes?)"
)
_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # A user and password in a URL.
    (re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s/@'\"<>]+@", re.IGNORECASE), rf"\1{REDACTED}@"),
    # A URL whose query holds a signature or a token keeps its route.
    (re.compile(rf"\?[^\s'\"<>]*?\b(?:X-Amz-[\w-]+|{_NAMES})=[^\s'\"<>]*", re.IGNORECASE), f"?{REDACTED}"),
    (re.compile(r"(/v1/files/)[^\s/?'\"<>]+"), rf"\1{REDACTED}"),
    # The header of HTTP, JSON web tokens, keys of OpenAI, and values signed by Django or encrypted (Fernet).
    (re.compile(r"\b(authorization['\"]?\s*[:=]\s*['\"]?)(?:\w+\s+)?[^\s'\",;]+", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{16,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"), REDACTED),
    (re.compile(r"\bsk-[\w-]{8,}"), REDACTED),
    (re.compile(r"[\w=.-]{8,}:[A-Za-z0-9]{5,8}:[\w-]{27,}"), REDACTED),
    (re.compile(r"\bgAAAA[\w-]{20,}=*"), REDACTED),
    # A name and a value, as in a connection string, a header, JSON or a call.
    (re.compile(rf"""(?<![\w-])({_NAMES}['"]?\s*[:=]\s*)(?:'[^']*'|"[^"]*"|[^\s,;&)}}\]]+)""", re.IGNORECASE), rf"\1{REDACTED}"),
)
_known: frozenset[str] = frozenset()
# A URL up to its last character that is no punctuation; an IP address of either version, or a name, with or without a port.
_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>()]*[^\s'\"<>().,:;!?]"
    r"|\[[0-9a-f:]*:[0-9a-f:.]*\](?::\d+)?"
    r"|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?![\w.]*\w)"
    r"|(?<![\w.])(?=[\w.-]*[a-z])[\w-]+(?:\.[\w-]+)*:\d{2,5}(?!\w)",
    re.IGNORECASE,
)
_secrets: re.Pattern[str] | None = None


def register_secrets(values: Iterable[str]) -> None:
    """Replace the values that `redact_text` removes wherever they occur: the secrets of the installation."""
    global _known, _secrets
    _known = frozenset(value for value in values if len(value) >= MIN_SECRET_LENGTH)
    longest_first = sorted(_known, key=len, reverse=True)
    _secrets = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def register_secret(value: str) -> None:
    """Add a value to those that `redact_text` removes: a secret that has changed while the process runs."""
    register_secrets({*_known, value})


def redact_text(text: str) -> str:
    """Return a text without registered secrets, passwords in URLs, signed URLs, tokens, keys, and values named as secrets."""
    if _secrets is not None:
        text = _secrets.sub(REDACTED, text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def hide_addresses(text: str) -> str:
    """Return a text for owners, without URLs, IP addresses and hosts with a port: they belong to the inside of the installation."""
    return _ADDRESS.sub("the server", text)


def redact(value: Any, name: str = "") -> Any:
    """Return a value of a log record without secrets: texts, and the texts in lists, tuples and mappings. Other objects become texts."""
    if value is None:
        return None
    if _SECRET_NAME.fullmatch(name):
        return REDACTED
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {key: redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in value]
    return redact_text(str(value))
