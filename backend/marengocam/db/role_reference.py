"""The page docs/ref/database-roles.md, written from the rights that the database itself tells."""

from collections import defaultdict
from typing import Any

from marengocam.db.queries import load, rows
from marengocam.db.roles import ROLES

_QUERIES = load("roles")
_HEAD = """\
# Database roles

Each service has a role of its own: only the rights that its code needs, and a number of connections that no other can
use up. Written from the database after `backend/marengocam/db/sql/roles.sql` and `grants.sql`; a test compares. After a
change of queries run `MARENGOCAM_UPDATE_REFERENCE=1 .venv/bin/python -m pytest tests/integration/db/test_roles.py`.

`marengocam migrate --role-passwords FOLDER`, run with the owner's account, makes the roles and gives them their
passwords; `marengocam migrate` gives roles that exist their rights. The owner needs CREATEROLE for the first, or an
administrator makes the roles with the names and limits below and `statement_timeout = '10s'`,
`idle_in_transaction_session_timeout = '10s'` on each. The embedded server, and a database without these roles, work
with one account for everything.

Roles belong to a whole PostgreSQL server: two MarengoCam databases on one server share them, and so their passwords.
None of them owns anything: tables are made, changed and dropped by the owner's account alone.
"""


async def role_reference(connection: Any) -> str:
    """Return the page for the database as it is now."""
    names = list(ROLES)
    roles = await rows(_QUERIES.existing(connection, role_names=names))
    table: dict[str, dict[str, str]] = defaultdict(dict)
    for row in await rows(_QUERIES.rights(connection, role_names=names)):
        table[row["table_name"]][row["role_name"]] = row["rights"]
    limits = "\n".join(f"| `{row['role_name']}` | {row['connections']} |" for row in roles)
    services = " | ".join(name.removeprefix("marengocam_") for name in ROLES)
    lines = [
        f"| `{name}` | " + " | ".join(rights.get(role, "") for role in ROLES) + " |" for name, rights in table.items()
    ]
    return (
        f"{_HEAD}\n## Connections\n\n| role | at most |\n|---|---|\n{limits}\n\n"
        f"## Rights\n\n| table | {services} |\n|{'---|' * (len(ROLES) + 1)}\n" + "\n".join(lines) + "\n"
    )
