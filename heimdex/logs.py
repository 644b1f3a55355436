"""Structured logs: one line per event, readable (`console`) or machine-readable (`json`), without secrets.

Every record passes `redact_record` before it is rendered: those of structlog, of the standard library, of gunicorn and of django-q.
Tracebacks have no local variables, which could be passwords that someone has typed.
"""

import logging
import logging.config
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from heimdex.redaction import redact

# Their output is the log.
_SERVERS = frozenset({"work", "runserver"})


def choose_level(log_format: str, level: str, arguments: Sequence[str]) -> str:
    """Return the level for a process with these arguments: a command on a terminal logs no events below WARNING, unless with `-v 2`. Pure.

    Its result is what it prints; log collectors (`json`) get the events of commands too.
    """
    program, *others = arguments
    is_command = Path(program).name == "manage.py" and not set(others[:1]) & _SERVERS
    if log_format == "json" or level == "ERROR" or not is_command:
        return level
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-v", "--verbosity", nargs="?")
    verbosity = parser.parse_known_args(others)[0].verbosity
    return level if verbosity in ("2", "3") else "WARNING"


def _is_root_warning(record: logging.LogRecord) -> bool:
    """Keep only warnings. Only libraries use the root logger: open_clip writes ten INFO lines there per loaded model."""
    return record.levelno >= logging.WARNING


def redact_record(_: Any, __: str, record: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Return a record without secrets."""
    return {name: redact(value, name) for name, value in record.items()}


def configure_logging(log_format: str, level: str) -> dict[str, Any]:
    """Configure structlog and the standard library's loggers alike; return the applied dictConfig."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[structlog.typing.Processor] = (
        [
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            redact_record,
            structlog.processors.JSONRenderer(),
        ]
        if log_format == "json"
        else [
            structlog.processors.format_exc_info,
            redact_record,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    config: dict[str, Any] = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structlog": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structlog"}},
        "filters": {"nameless": {"()": lambda: _is_root_warning}},
        "root": {"handlers": ["stderr"], "level": level, "filters": ["nameless"]},
        "loggers": {
            # Gunicorn gives these handlers of its own, which would not redact.
            "gunicorn.access": {"handlers": [], "propagate": True},
            "gunicorn.error": {"handlers": [], "propagate": True},
            # Their INFO lines describe library calls, not this service's work.
            "django-q": {"level": "WARNING"},
            "faster_whisper": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            # The HTTP client of newer releases of the OpenAI client.
            "httpx2": {"level": "WARNING"},
            "openai": {"level": "WARNING"},
            # Their lines repeat errors that are handled, and contain what users search for.
            "opensearch": {"level": "ERROR"},
            "opensearchpy.trace": {"level": "ERROR"},
            "sentence_transformers": {"level": "WARNING"},
        },
    }
    logging.config.dictConfig(config)
    return config
