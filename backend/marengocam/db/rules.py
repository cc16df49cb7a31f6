"""What to publish when an event fits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from marengocam.core.errors import ConflictError, NotFoundError
from marengocam.db.database import Database
from marengocam.db.queries import from_json, load, rows, to_json

_QUERIES = load("rules")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `payload` None publishes the event itself."""

    rule_id: UUID
    name: str
    enabled: bool
    event_type: str
    conditions: dict[str, Any]
    mqtt_topic: str
    payload: Any
    created_at: datetime


class Rules:
    """`hub.rules`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self) -> list[Rule]:
        """Return all rules, by name."""
        async with self._database.connection() as connection:
            return [_rule(row) for row in await rows(_QUERIES.list_rules(connection))]

    async def get(self, rule_id: UUID) -> Rule:
        """Return one rule; raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await _QUERIES.get_rule(connection, rule_id=rule_id)
        if row is None:
            raise NotFoundError("There is no such rule.")
        return _rule(row)

    async def add(self, rule: Rule) -> None:
        """Add a rule; raises ConflictError when its name is taken."""
        try:
            async with self._database.connection() as connection:
                await _QUERIES.add_rule(connection, **_columns(rule), created_at=rule.created_at)
        except ConflictError as error:
            raise ConflictError(f"There is a rule called {rule.name!r} already.") from error

    async def update(self, rule: Rule) -> None:
        """Replace a rule; raises NotFoundError, ConflictError when its name is taken."""
        async with self._database.connection() as connection:
            if await _QUERIES.update_rule(connection, **_columns(rule)) is None:
                raise NotFoundError("There is no such rule.")

    async def remove(self, rule_id: UUID) -> None:
        """Remove a rule; raises NotFoundError."""
        async with self._database.connection() as connection:
            if await _QUERIES.remove_rule(connection, rule_id=rule_id) is None:
                raise NotFoundError("There is no such rule.")


def _columns(rule: Rule) -> dict[str, Any]:
    return {
        "rule_id": rule.rule_id,
        "rule_name": rule.name,
        "enabled": rule.enabled,
        "event_type": rule.event_type,
        "conditions": to_json(rule.conditions),
        "mqtt_topic": rule.mqtt_topic,
        "payload": None if rule.payload is None else to_json(rule.payload),
    }


def _rule(row: Any) -> Rule:
    columns = dict(row)
    return Rule(**(columns | {"conditions": from_json(row["conditions"]), "payload": from_json(row["payload"])}))
