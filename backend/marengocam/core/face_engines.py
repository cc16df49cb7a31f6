"""Which face engines of other makers are to be asked: addresses that say whose language is spoken there."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from marengocam.core.errors import BadInputError
from marengocam.core.secret import Secret

EXAMPLE = "codeproject+http://host:32168, deepstack+http://host:5000, compreface+http://:API-KEY@host:8000"


class EngineKind(StrEnum):
    """Whose HTTP routes an engine has."""

    CODEPROJECT = "codeproject"
    DEEPSTACK = "deepstack"
    COMPREFACE = "compreface"


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """One engine; the address carries no key."""

    kind: EngineKind
    base_url: str
    key: Secret | None = None

    @property
    def name(self) -> str:
        """What health and logs call it."""
        return f"{self.kind} at {urlsplit(self.base_url).netloc}"


def engine_addresses(text: str) -> tuple[EngineAddress, ...]:
    """Return the engines of a list, separated by commas; raises BadInputError, which tells no key."""
    found = tuple(_address(one.strip()) for one in text.split(",") if one.strip())
    if len({one.name for one in found}) < len(found):
        raise BadInputError("A face engine is listed twice: once is enough.")
    return found


def _address(text: str) -> EngineAddress:
    kind, _, url = text.partition("+")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if kind not in set(EngineKind) or parts.scheme not in {"http", "https"} or not host:
        raise BadInputError(f"A face engine's address looks like one of these: {EXAMPLE}.")
    key = Secret(unquote(parts.password)) if parts.password else None
    if kind == EngineKind.COMPREFACE and key is None:
        raise BadInputError(
            "CompreFace needs the key of its recognition service: compreface+http://:API-KEY@host:8000."
        )
    shown = f"[{host}]" if ":" in host else host
    base = f"{parts.scheme}://{shown}" + (f":{port}" if port else "") + parts.path.rstrip("/")
    return EngineAddress(EngineKind(kind), base, key)
