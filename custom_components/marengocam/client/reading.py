"""Reads JSON strictly where it matters: what is used must be there and be right, what is unknown is left alone."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from .errors import UnexpectedAnswerError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JsonObject:
    """One JSON object and where it stands; every reader raises UnexpectedAnswerError."""

    content: Mapping[str, Any]
    path: str

    @classmethod
    def of(cls, value: Any, path: str) -> Self:
        if not isinstance(value, dict):
            raise UnexpectedAnswerError(f"{path} should be an object, not {type(value).__name__}.")
        return cls(value, path)

    @classmethod
    def from_text(cls, text: str | bytes, path: str) -> Self:
        try:
            return cls.of(json.loads(text), path)
        except ValueError as error:
            raise UnexpectedAnswerError(f"{path} is not JSON.") from error

    def text(self, key: str) -> str:
        return self._typed(key, str)

    def integer(self, key: str) -> int:
        return self._typed(key, int)

    def number(self, key: str) -> float:
        value = self.content.get(key)
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else self._typed(key, float)

    def flag(self, key: str) -> bool:
        return self._typed(key, bool)

    def time(self, key: str) -> datetime:
        text = self.text(key)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise UnexpectedAnswerError(f"{self.path}.{key} is not a time: {text[:40]!r}.") from error
        if moment.tzinfo is None:
            raise UnexpectedAnswerError(f"{self.path}.{key} is a time without a zone.")
        return moment.astimezone(UTC)

    def child(self, key: str) -> "JsonObject":
        return JsonObject.of(self.content.get(key), f"{self.path}.{key}")

    def optional(self, key: str, read: Callable[[str], T]) -> T | None:
        """Return what `read` makes of the key, or None where it is null or absent."""
        return None if self.content.get(key) is None else read(key)

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._typed(key, list)
        if not all(isinstance(value, str) for value in values):
            raise UnexpectedAnswerError(f"{self.path}.{key} should hold texts only.")
        return tuple(values)

    def objects(self, key: str, parse: "Callable[[JsonObject], T]") -> tuple[T, ...]:
        values = self._typed(key, list)
        return tuple(parse(JsonObject.of(value, f"{self.path}.{key}[{n}]")) for n, value in enumerate(values))

    def _typed(self, key: str, kind: type[T]) -> T:
        value = self.content.get(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise UnexpectedAnswerError(f"{self.path}.{key} should be {kind.__name__}, not {type(value).__name__}.")
        return value
