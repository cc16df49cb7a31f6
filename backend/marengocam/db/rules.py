"""Rules as their owner wrote them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from marengocam.core.errors import ConflictError, NotFoundError
from marengocam.core.rules.model import Rule
from marengocam.core.rules.schema import Possible, actions_document, conditions_document, rule_from
from marengocam.db.database import Connection, Database
from marengocam.db.queries import from_json, load, rows, to_json

CHANNEL = "rule"
_QUERIES = load("rules")


class Rules:
    """`hub.rules`: every change notifies the channel `rule`."""

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

    async def by_name(self, name: str) -> Rule:
        """Return the rule of that name; raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await _QUERIES.rule_by_name(connection, rule_name=name)
        if row is None:
            raise NotFoundError(f"There is no rule called {name!r}.")
        return _rule(row)

    async def put(self, rules: Sequence[Rule], *, remove_others: bool = False) -> None:
        """Add rules, or replace those of the same id, all or none; raises ConflictError when a name is taken."""
        try:
            async with self._database.transaction() as connection:
                if remove_others:
                    await _QUERIES.remove_others(connection, rule_ids=[rule.rule_id for rule in rules])
                for rule in rules:
                    await _QUERIES.put_rule(connection, **_columns(rule))
                await _notify(connection)
        except ConflictError as error:
            names = ", ".join(repr(rule.name) for rule in rules)
            raise ConflictError(f"There is a rule of that name already: {names}.") from error

    async def remove(self, rule_id: UUID) -> None:
        """Remove a rule; raises NotFoundError."""
        async with self._database.transaction() as connection:
            if await _QUERIES.remove_rule(connection, rule_id=rule_id) is None:
                raise NotFoundError("There is no such rule.")
            await _notify(connection)


async def _notify(connection: Connection) -> None:
    await _QUERIES.notify(connection, channel=CHANNEL, payload="")


def _columns(rule: Rule) -> dict[str, Any]:
    return {
        "rule_id": rule.rule_id,
        "rule_name": rule.name,
        "enabled": rule.enabled,
        "event_types": list(rule.event_types),
        "conditions": to_json(conditions_document(rule.conditions)),
        "late": rule.late,
        "rate_limit": None if rule.limit is None else to_json(msgspec.to_builtins(rule.limit)),
        "actions": to_json(actions_document(rule.actions)),
        "created_at": rule.created_at,
    }


def _rule(row: Any) -> Rule:
    document = {
        "name": row["name"],
        "enabled": row["enabled"],
        "events": row["event_types"],
        "conditions": from_json(row["conditions"]),
        "late": row["late"],
        "limit": from_json(row["rate_limit"]),
        "actions": from_json(row["actions"]),
    }
    return rule_from(document, row["rule_id"], row["created_at"], Possible())
