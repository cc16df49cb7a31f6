"""How a service says that it is doing."""

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["ok", "degraded", "failing"]


@dataclass(frozen=True, slots=True)
class HealthReport:
    """`degraded` still does its job with less; `failing` does not, and is restarted when that lasts."""

    status: Status = "ok"
    reason: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
