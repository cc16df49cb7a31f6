"""Logging in to a camera: Digest (RFC 7616 and, without `qop`, RFC 2069), else Basic."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from urllib.request import parse_http_list, parse_keqv_list

from marengocam.core.secret import Secret

NONCE_BYTES = 8
_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda content: hashlib.md5(content, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda content: hashlib.sha256(content).hexdigest(),
}


class Login:
    """Answers a camera's challenge for each request; without a challenge it adds nothing."""

    def __init__(self, username: str | None, password: Secret | None) -> None:
        self._username = username
        self._password = password or Secret("")
        self._digest: dict[str, str] | None = None
        self._basic = False
        self._count = 0

    @property
    def is_known(self) -> bool:
        """Whether there is a user to log in as."""
        return self._username is not None

    def challenge(self, texts: list[str]) -> bool:
        """Take in what a camera asks for; return whether it can be answered."""
        self._digest, self._basic, self._count = None, False, 0
        for text in texts:
            scheme, _, rest = text.strip().partition(" ")
            if scheme.lower() == "basic":
                self._basic = True
            elif scheme.lower() == "digest" and self._digest is None:
                fields = parse_keqv_list([field for field in parse_http_list(rest) if "=" in field])
                told = {name.lower(): value for name, value in fields.items()}
                if told.get("nonce") is not None and told.get("algorithm", "MD5").upper() in _HASHES:
                    self._digest = told
        return self._digest is not None or self._basic

    def headers(self, method: str, url: str) -> dict[str, str]:
        """Return the header that logs a request in, none as long as nothing was asked for."""
        if self._username is None:
            return {}
        if self._digest is not None:
            return {"Authorization": self._answer(self._digest, method, url)}
        if self._basic:
            login = f"{self._username}:{self._password.reveal()}".encode()
            return {"Authorization": f"Basic {base64.b64encode(login).decode()}"}
        return {}

    def _answer(self, told: dict[str, str], method: str, url: str) -> str:
        realm, nonce = told.get("realm", ""), told["nonce"]
        make = _HASHES[told.get("algorithm", "MD5").upper()]
        who = make(f"{self._username}:{realm}:{self._password.reveal()}".encode())
        what = make(f"{method}:{url}".encode())
        fields = {"username": self._username or "", "realm": realm, "nonce": nonce, "uri": url}
        plain: dict[str, str] = {}
        if "auth" in [way.strip() for way in told.get("qop", "").split(",")]:
            self._count += 1
            count, ours = f"{self._count:08x}", secrets.token_hex(NONCE_BYTES)
            fields["response"] = make(f"{who}:{nonce}:{count}:{ours}:auth:{what}".encode())
            fields["cnonce"] = ours
            plain = {"qop": "auth", "nc": count}
        else:
            fields["response"] = make(f"{who}:{nonce}:{what}".encode())
        if "opaque" in told:
            fields["opaque"] = told["opaque"]
        if "algorithm" in told:
            plain["algorithm"] = told["algorithm"]
        quoted = [f'{name}="{value.replace(chr(34), chr(92) + chr(34))}"' for name, value in fields.items()]
        return "Digest " + ", ".join([*quoted, *(f"{name}={value}" for name, value in plain.items())])
