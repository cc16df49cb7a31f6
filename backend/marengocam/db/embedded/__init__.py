"""An own PostgreSQL for a single machine, driven straight from the binaries of an installed wheel."""

from marengocam.db.embedded.address import database_address, direct_address
from marengocam.db.embedded.server import EmbeddedServer

__all__ = ["EmbeddedServer", "database_address", "direct_address"]
