"""Values that must never be printed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that shows as `***` everywhere; `reveal()` is called only where it is handed to its use."""

    _value: str

    def reveal(self) -> str:
        """Return the text itself."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__
