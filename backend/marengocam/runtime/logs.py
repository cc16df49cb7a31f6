"""Logging of every process: one line a record, readable or JSON, with secrets hidden."""

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from marengocam.core.secret import Secret

HIDDEN = "***"
_PATTERNS = (
    (re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]*://)[^/\s]+@", re.IGNORECASE), rf"\g<keep>{HIDDEN}@"),
    (re.compile(r"\bmc_[A-Za-z0-9_-]{20,}"), HIDDEN),
    (re.compile(r"(?P<keep>\bBearer\s+)\S+", re.IGNORECASE), rf"\g<keep>{HIDDEN}"),
    (re.compile(r"(?P<keep>[?&](?:signature|token|password|ticket)=)[^&\s\"']+", re.IGNORECASE), rf"\g<keep>{HIDDEN}"),
)


class Redaction(logging.Filter):
    """Hides users and passwords in addresses, tokens, signatures, and the secrets it was given."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        super().__init__()
        self._known = [secret.reveal() for secret in secrets if secret]

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the record's text with one that is fit to be read."""
        text = self.hide(record.getMessage())
        record.msg, record.args = text, None
        if record.exc_info and not record.exc_text:
            record.exc_text = self.hide(logging.Formatter().formatException(record.exc_info))
        return True

    def hide(self, text: str) -> str:
        """Return `text` without its secrets."""
        for secret in self._known:  # first: a pattern may take a part of one, and the rest would be nobody's
            text = text.replace(secret, HIDDEN)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


class _Readable(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__(f"%(asctime)s.%(msecs)03dZ {service} %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = lambda seconds_s: datetime.fromtimestamp(seconds_s or 0, UTC).timetuple()


class _Json(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "service": self._service,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_text:
            entry["stack"] = record.exc_text
        return json.dumps(entry)


def start_logging(service: str, level: str, *, as_json: bool = False, secrets: Iterable[Secret] = ()) -> None:
    """Send every log record of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Redaction(secrets))
    handler.setFormatter(_Json(service) if as_json else _Readable(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Requests are logged by the services that serve them, without their queries.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
