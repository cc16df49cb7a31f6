"""One database role a service, with the rights of `sql/grants.sql`, no others, and connections of its own."""

import base64
import hashlib
import hmac
import logging
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg

from marengocam.core.errors import BadInputError, MarengoCamError
from marengocam.core.secret import Secret
from marengocam.db.queries import load, rows

SERVICES = ("ingest", "resolver", "automation", "face", "janitor", "web")
ROLE_PREFIX = "marengocam_"
SCRAM_ITERATIONS = 4096  # PostgreSQL's own number
SALT_BYTES = 16
_ROLES = load("roles")
_GRANTS = load("grants")
_LOG = logging.getLogger(__name__)


def role_of(service: str) -> str:
    """Return the name of a service's role."""
    return ROLE_PREFIX + service


ROLES = tuple(role_of(service) for service in SERVICES)


async def grant_rights(connection: Any) -> list[str]:
    """Give the roles that this server has their rights on this database, and take all others; return their names.

    Without such roles, as with the embedded server, nothing is done: one account does everything there.
    """
    existing = [row["role_name"] for row in await rows(_ROLES.existing(connection, role_names=list(ROLES)))]
    if not existing:
        return []
    async with connection.transaction():
        await _GRANTS.everybody(connection)
        for role in existing:
            await getattr(_GRANTS, role.removeprefix(ROLE_PREFIX))(connection)
    return existing


async def make_roles(connection: Any, passwords: Mapping[str, Secret]) -> None:
    """Make all roles that lack, set their limits, and the passwords that are given by service.

    Raises MarengoCamError when the account may not make roles.
    """
    try:
        async with connection.transaction():
            await _ROLES.make(connection)
            for service, password in passwords.items():
                verifier = scram_verifier(password, secrets.token_bytes(SALT_BYTES))
                order = await _ROLES.password_order(connection, role_name=role_of(service), verifier=verifier)
                await connection.execute(order)
    except asyncpg.InsufficientPrivilegeError as error:
        raise MarengoCamError(
            "This account may not make the services' roles: give it CREATEROLE, or have the server's administrator "
            "make them (docs/ref/database-roles.md) and run `marengocam migrate` again, which gives them their rights."
        ) from error
    _LOG.info("the services' roles are made")


def passwords_in(folder: Path) -> dict[str, Secret]:
    """Return each service's password from the files `db_<service>` of a folder.

    Raises BadInputError when one lacks or is empty.
    """
    passwords = {}
    for service in SERVICES:
        file = folder / f"db_{service}"
        try:
            text = file.read_text().strip()
        except OSError as error:
            raise BadInputError(f"The password file {file} cannot be read: {error.strerror}.") from error
        if not text:
            raise BadInputError(f"The password file {file} is empty.")
        passwords[service] = Secret(text)
    return passwords


def scram_verifier(password: Secret, salt: bytes, iterations: int = SCRAM_ITERATIONS) -> str:
    """Return what PostgreSQL stores for a password (SCRAM-SHA-256, RFC 5803), so that it never sees the password."""
    salted = hashlib.pbkdf2_hmac("sha256", password.reveal().encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored, server = (base64.b64encode(part).decode() for part in (salt, stored_key, server_key))
    return f"SCRAM-SHA-256${iterations}:{salt_text}${stored}:{server}"
