"""The page docs/ref/database.md, written from the comments in the schema itself."""

from itertools import groupby
from typing import Any

from marengocam.db.database import Database
from marengocam.db.queries import load, rows

_QUERIES = load("reference")
_HEAD = """\
# Database reference

Written from the schema's own comments (`backend/marengocam/db/sql/migrations/`); a test compares. After a change run
`MARENGOCAM_UPDATE_REFERENCE=1 .venv/bin/python -m pytest tests/integration/db/test_schema_reference.py`.

Times are `timestamptz`, kept in UTC. Identifiers are UUIDs of version 7, made by the writer. Paths are relative to the
media root. Vectors are `halfvec` of pgvector, of unit length; only those of one model are compared. Why it is built
like this stands in [the hub's design](../design/hub.md).
"""


async def schema_reference(database: Database) -> str:
    """Return the page for the database as it is now; raises HubUnavailableError."""
    async with database.connection() as connection:
        tables = await rows(_QUERIES.tables(connection))
        columns = _by_table(await rows(_QUERIES.columns(connection)))
        constraints = _by_table(await rows(_QUERIES.constraints(connection)))
        indexes = _by_table(await rows(_QUERIES.indexes(connection)))
    parts = [_HEAD]
    for table in tables:
        name = table["name"]
        parts.append(f"## {name}\n\n{table['comment'] or ''}\n")
        parts.append(_columns(columns.get(name, [])))
        parts.append(_listed("Always true", [row["rule"] for row in constraints.get(name, [])]))
        parts.append(_listed("Indexes", [row["definition"] for row in indexes.get(name, [])]))
    return "\n".join(part for part in parts if part)


def _by_table(found: list[Any]) -> dict[str, list[Any]]:
    return {name: list(group) for name, group in groupby(found, key=lambda row: row["table_name"])}


def _columns(found: list[Any]) -> str:
    lines = ["| column | type | null | default | meaning |", "|---|---|---|---|---|"]
    for row in found:
        default = f"`{row['default_value']}`" if row["default_value"] else ""
        may_be_null = "yes" if row["nullable"] else ""
        cells = [f"`{row['name']}`", row["type"], may_be_null, default, row["comment"] or ""]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _listed(title: str, entries: list[str]) -> str:
    if not entries:
        return ""
    return f"{title}:\n\n" + "\n".join(f"- `{entry}`" for entry in entries) + "\n"
