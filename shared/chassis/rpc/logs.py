"""Structured logs on standard error, one line an event, with no secret in any of them."""

import logging
import re
import sys
from collections.abc import MutableMapping, Sequence
from typing import Any

import structlog

from chassis.config import Settings
from chassis.rpc import context
from ft.text.printable import printable, printable_line

_PARAGRAPHS = ("exception", "stack")
"""Fields with several lines in a log for people; in JSON every event is one line."""
_SECRET_KEY = re.compile(r"token|secret|password|authorization|api_?key|apiv2_key", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"\bhf_[A-Za-z0-9]{8,}|(?<=Bearer )\S+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
MASK = "***"


def configure(settings: Settings) -> None:
    """Sets up logging for the process. To be called once, before the event loop runs."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        add_call,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_secrets,
    ]
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    logging.basicConfig(handlers=[_handler(settings, shared)], level=level, force=True)
    logging.captureWarnings(True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=settings.service)


def _handler(settings: Settings, shared: Sequence[structlog.types.Processor]) -> logging.Handler:
    """Writes what comes through structlog, and what other libraries log, in the same form."""
    # In JSON, all but ASCII and every control character is an escape already.
    renderers: list[structlog.types.Processor] = (
        [structlog.processors.JSONRenderer()]
        if settings.log_format == "json"
        else [make_printable, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    return handler


def add_call(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Adds the id and caller of the request that is being served."""
    # Looked up for each event, since most calls log nothing.
    if call := context.served():
        event.setdefault("request_id", call.request_id)
        event.setdefault("caller", call.caller)
    return event


def make_printable(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Keeps an event on one line, and texts in it from commanding a terminal."""
    encoding = sys.stderr.encoding or "utf-8"
    for key, value in event.items():
        if isinstance(value, str):
            safe = printable if key in _PARAGRAPHS else printable_line
            event[key] = safe(value, encoding)
    return event


def mask_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replaces values that are secrets by name or by look."""
    for key, value in event.items():
        if _SECRET_KEY.search(key):
            event[key] = MASK
        elif isinstance(value, str):
            event[key] = _SECRET_VALUE.sub(MASK, value)
    return event
