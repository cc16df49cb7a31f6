"""Signed paths: what players and browsers may open without a token, for a while."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from marengocam.core.errors import MarengoCamError

LIVE_VALID = timedelta(hours=12)
TICKET_VALID = timedelta(minutes=1)
PURPOSE = "media paths"


class BadSignatureError(MarengoCamError):
    """The address has expired or was changed; ask for a new one."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs a path prefix until a moment; everything below the prefix is then open."""

    key: bytes

    def query(self, scope: str, until: datetime) -> str:
        """Return the query that opens `scope`."""
        expires = int(until.timestamp())
        return f"expires={expires}&signature={self._signature(scope, expires)}"

    def check(self, scope: str, expires: str, signature: str, now: datetime) -> None:
        """Raise BadSignatureError unless the query opens `scope` now."""
        try:
            until = datetime.fromtimestamp(int(expires), UTC)
        except (ValueError, OverflowError, OSError):
            raise BadSignatureError("This address is not valid.") from None
        if not hmac.compare_digest(signature.encode(errors="replace"), self._signature(scope, int(expires)).encode()):
            raise BadSignatureError("This address is not valid.")
        if now > until:
            raise BadSignatureError("This address has expired: ask for a new one.")

    def _signature(self, scope: str, expires: int) -> str:
        return hmac.new(self.key, f"{scope}\n{expires}".encode(), hashlib.sha256).hexdigest()
