"""What goes to the broker."""

from collections.abc import Callable
from dataclasses import dataclass

MAX_TOPIC_BYTES = 65_535
Ended = Callable[[str], None]  # called once with why it failed, "" when it is done


@dataclass(frozen=True, slots=True)
class Message:
    """One publication; an empty payload that is retained takes back what stood under its topic."""

    topic: str
    payload: str
    retain: bool = False


def ignored(_reason: str) -> None:
    """Take note of nothing."""


def topic_problem(topic: str) -> str:
    """Return why a topic cannot be published to, "" when it can."""
    if not topic or len(topic.encode()) > MAX_TOPIC_BYTES:
        return "the topic is empty or too long"
    return "the topic holds #, + or a null character" if set(topic) & set("#+\0") else ""
