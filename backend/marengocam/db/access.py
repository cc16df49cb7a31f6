"""Who may use the API, and facts that all processes share."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.core.ids import new_id
from marengocam.db.database import Connection, Database
from marengocam.db.queries import from_json, load, rows, to_json

TOKEN_PREFIX = "mc_"  # noqa: S105 - it marks tokens so that logs can hide them
TOKEN_RANDOM_BYTES = 32
SCOPES = ("read", "write", "admin")
INSTALLATION_ID = "installation_id"
_QUERIES = load("access")


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token, without the secret itself."""

    token_id: UUID
    name: str
    scopes: frozenset[str]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class Tokens:
    """`hub.tokens`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, name: str, scopes: Sequence[str], at: datetime) -> str:
        """Make a token and return it; it can never be read again. Raises BadInputError on an unknown scope."""
        if not scopes or not set(scopes) <= set(SCOPES):
            raise BadInputError(f"A token needs scopes out of {', '.join(SCOPES)}.")
        token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_RANDOM_BYTES)
        async with self._database.connection() as connection:
            await _QUERIES.add_token(
                connection,
                token_id=new_id(at),
                token_name=name,
                token_sha256=_digest(token),
                scopes=sorted(set(scopes)),
                at=at,
            )
        return token

    async def find(self, token: str) -> Token | None:
        """Return the valid token of this text, or None."""
        async with self._database.connection() as connection:
            row = await _QUERIES.find_token(connection, token_sha256=_digest(token))
        return None if row is None else _token(row)

    async def list(self) -> list[Token]:
        """Return all tokens, newest first."""
        async with self._database.connection() as connection:
            return [_token(row) for row in await rows(_QUERIES.list_tokens(connection))]

    async def revoke(self, token_id: UUID, at: datetime) -> None:
        """Make a token worthless; raises NotFoundError."""
        async with self._database.connection() as connection:
            if await _QUERIES.revoke_token(connection, token_id=token_id, at=at) is None:
                raise NotFoundError("There is no such token, or it is revoked already.")

    async def touch(self, token_id: UUID, at: datetime) -> None:
        """Note that a token was used."""
        async with self._database.connection() as connection:
            await _QUERIES.touch_token(connection, token_id=token_id, at=at)


class SettingsStore:
    """`hub.settings_store`: facts shared by all processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str) -> Any:
        """Return a fact, or None."""
        async with self._database.connection() as connection:
            return from_json(await _QUERIES.get_setting(connection, setting_key=key))

    async def set(self, key: str, value: Any, connection: Connection | None = None) -> None:
        """Set a fact, in the caller's transaction when its connection is given."""
        if connection is not None:
            await _QUERIES.set_setting(connection, setting_key=key, value=to_json(value))
            return
        async with self._database.connection() as own:
            await _QUERIES.set_setting(own, setting_key=key, value=to_json(value))

    async def first(self, key: str, value: Any) -> Any:
        """Set a fact unless there is one; return the one in force."""
        async with self._database.connection() as connection:
            return from_json(await _QUERIES.first_setting(connection, setting_key=key, value=to_json(value)))

    async def installation_id(self) -> UUID:
        """Return the id of this installation, made at first use."""
        return UUID(await self.first(INSTALLATION_ID, str(uuid4())))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _token(row: Any) -> Token:
    return Token(**(dict(row) | {"scopes": frozenset(row["scopes"])}))
