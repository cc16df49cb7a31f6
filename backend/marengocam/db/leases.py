"""Claims that expire by the database's clock."""

from collections.abc import Sequence

from marengocam.core.model import Lease
from marengocam.db.database import Database
from marengocam.db.queries import load, rows

_QUERIES = load("leases")


class Leases:
    """`hub.leases`, with connections of their own: what is not renewed in time is lost, however busy the rest is."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def acquire(self, name: str, holder: str, ttl_s: float) -> Lease | None:
        """Claim or renew a lease; None while another holds it."""
        async with self.database.connection() as connection:
            row = await _QUERIES.acquire(connection, lease_name=name, holder=holder, ttl_s=ttl_s)
        return None if row is None else Lease(**dict(row))

    async def renew(self, names: Sequence[str], holder: str, ttl_s: float) -> dict[str, Lease]:
        """Renew what a holder still has of these leases, in one statement; return it by name."""
        async with self.database.connection() as connection:
            found = await rows(_QUERIES.renew(connection, names=list(names), holder=holder, ttl_s=ttl_s))
        return {row["name"]: Lease(**dict(row)) for row in found}

    async def release(self, lease: Lease) -> None:
        """Give a lease up at once, if it is still held."""
        async with self.database.connection() as connection:
            await _QUERIES.release(connection, lease_name=lease.name, holder=lease.holder, fence=lease.fence)

    async def list(self) -> list[Lease]:
        """Return the leases that are held now."""
        async with self.database.connection() as connection:
            return [Lease(**dict(row)) for row in await rows(_QUERIES.list_leases(connection))]
