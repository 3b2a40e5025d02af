"""Logging: one line per event on the error stream, for a person or as JSON, with secrets masked.

Everything goes through the standard library's `logging`, so the lines of uvicorn, asyncio and other
libraries look the same as our own. Commands call `configure`; as a library, powderkeg adds no
handler and leaves logging to the program that imports it.

    log = get_logger("live")
    log.warning("connection_lost", venue="binance", reason="timed out")
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, TextIO, cast

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from powderkeg.errors import ConfigError

FORMATS: Final = ("text", "json")
LEVELS: Final = ("debug", "info", "warning", "error")
MASK: Final = "***"
SHORTEST: Final = 8
"""Characters a secret needs to be masked everywhere; shorter ones match parts of words."""

_NAME: Final = r"[\w-]*(?:token|secret|passw(?:or)?d|authorization|cookie|api_?key|signature)[\w-]*"
_SECRET_FIELD: Final = re.compile(rf"{_NAME}|.*webhook", re.IGNORECASE)
_VALUE: Final = r"""b?(?:'[^']*'|"[^"]*")|(?!bearer\s|basic\s)[^\s&'"#,;)\]}]+"""
_QUOTE: Final = r"""['"]"""
_URL: Final = r"(\w+://[^/\s'\"]+)"
_REST: Final = r"[^\s'\"]*"
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"(\w+://)[^/\s:@]+:[^/\s@]+@", rf"\1{MASK}@"),  # https://user:password@host
        (rf"{_URL}/{_REST}?webhooks?\b{_REST}", rf"\1/{MASK}"),  # https://host/webhooks/ID/TOKEN
        (r"(\w+://hooks?\.[^/\s'\"]+)/" + _REST, rf"\1/{MASK}"),  # https://hooks.host/ID/TOKEN
        (rf"{_URL}/bot\d+:{_REST}", rf"\1/{MASK}"),  # https://host/botID:TOKEN/method
        (r"\b(bearer|basic)\s+[\w.~+/=-]+", rf"\1 {MASK}"),
        (rf"(\b{_NAME}{_QUOTE}?\s*[=:]\s*)(?:{_VALUE})", rf"\1{MASK}"),  # ?token=x, 'token': 'x'
        (rf"(\b{_NAME}{_QUOTE},\s*)(?:{_VALUE})", rf"\1{MASK}"),  # (b'authorization', b'x')
    )
)
_hidden: set[str] = set()


def get_logger(name: str) -> BoundLogger:
    """Return the logger of a part of powderkeg, such as ``live``."""
    return structlog.wrap_logger(
        logging.getLogger(f"powderkeg.{name}"),
        processors=[
            structlog.stdlib.filter_by_level,
            *_COMMON,
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=BoundLogger,
    )


def configure() -> None:
    """Write log lines to the error stream, as POWDERKEG_LOG and POWDERKEG_LOG_LEVEL say.

    Raises:
        ConfigError: One of them has a value that is not known.
    """
    json = log_format() == "json"
    level = _choice("POWDERKEG_LOG_LEVEL", LEVELS, "info")
    handler = _ErrorStream()
    handler.setFormatter(
        ProcessorFormatter(
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                mask_secrets,
                _in_order,
                _JSON if json else _text,
            ],
            foreign_pre_chain=list(_COMMON),
        )
    )
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # its own set-up bypasses the root
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, _ErrorStream)]:
        root.removeHandler(old)
    root.addHandler(handler)
    logging.getLogger("powderkeg").setLevel(level.upper())


def log_format() -> str:
    """Return how log lines are written: ``text`` or ``json``.

    Raises:
        ConfigError: POWDERKEG_LOG names another format.
    """
    return _choice("POWDERKEG_LOG", FORMATS, "text")


def hide(secret: str) -> None:
    """Mask a secret wherever it appears in a line, if it is long enough not to match words."""
    if len(secret) >= SHORTEST:
        _hidden.add(secret)


def mask_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Mask tokens, passwords, Authorization headers and webhook addresses in all fields."""
    return {key: _masked(key, value) for key, value in event.items()}


def _masked(key: str, value: Any) -> Any:
    if isinstance(value, str | bytes) and _SECRET_FIELD.match(key):
        return MASK
    if isinstance(value, Mapping):
        fields = cast("Mapping[object, object]", value)
        return {str(k): _masked(str(k), v) for k, v in fields.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(key, each) for each in cast("list[object]", value)]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _masked_text(str(value))


def _masked_text(text: str) -> str:
    for secret in _hidden:
        text = text.replace(secret, MASK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _choice(variable: str, allowed: tuple[str, ...], default: str) -> str:
    value = os.environ.get(variable, "").lower() or default
    if value not in allowed:
        raise ConfigError(f"{variable}: expected one of {', '.join(allowed)}, found {value!r}")
    return value


class _ErrorStream(logging.StreamHandler[TextIO]):
    """Writes to the current error stream, which tests and progress bars replace."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def _in_order(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put the fields of every line first."""
    return {**{key: event[key] for key in ("time", "level", "event", "logger")}, **event}


def _text(logger: WrappedLogger, name: str, event: EventDict) -> str:
    """Render a line for a person, in colour on a terminal."""
    return _COLOURED(logger, name, event) if sys.stderr.isatty() else _PLAIN(logger, name, event)


def _console(*, colors: bool) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=colors,
        pad_event_to=0,
        timestamp_key="time",
        exception_formatter=structlog.dev.plain_traceback,
    )


_COMMON: Final[tuple[Processor, ...]] = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
)
_JSON: Final = structlog.processors.JSONRenderer(default=str)
_PLAIN: Final = _console(colors=False)
_COLOURED: Final = _console(colors=True)
