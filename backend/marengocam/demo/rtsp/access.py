"""Who may watch: Digest (RFC 7616, MD5 as cameras use it) and Basic authentication."""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

REALM = "camera"
_FIELD = re.compile(r'(\w+)="?([^",]*)"?')


@dataclass(frozen=True, slots=True)
class Credentials:
    """The user and password a mount asks for."""

    username: str
    password: str
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))

    def challenges(self) -> list[str]:
        """Return what is offered to a client that showed nothing."""
        return [f'Digest realm="{REALM}", nonce="{self.nonce}"', f'Basic realm="{REALM}"']

    def accept(self, header: str, method: str) -> bool:
        """Return whether an Authorization header fits."""
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "basic":
            expected = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
            return hmac.compare_digest(rest.strip(), expected)
        if scheme.lower() != "digest":
            return False
        fields = dict(_FIELD.findall(rest))
        known = _md5(f"{self.username}:{REALM}:{self.password}")
        asked = _md5(f"{method}:{fields.get('uri', '')}")
        expected = _md5(f"{known}:{self.nonce}:{asked}")
        return hmac.compare_digest(fields.get("response", ""), expected) and fields.get("username") == self.username


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
