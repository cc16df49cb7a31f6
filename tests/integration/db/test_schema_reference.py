"""The schema says what it means, and the page about it says the same."""

import os
from pathlib import Path

from marengocam.db.migrate import migrate_database
from marengocam.db.reference import schema_reference

PAGE = Path(__file__).resolve().parents[3] / "docs" / "ref" / "database.md"


async def test_every_table_and_every_column_says_what_it_is_for(hub):
    async with hub.database.connection() as connection:
        silent = await connection.fetch(
            "SELECT c.relname, a.attname FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid "
            "AND a.attnum > 0 AND NOT a.attisdropped WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' "
            "AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS NULL)"
        )
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    assert [tuple(row) for row in silent] == []
    assert tables > 15


async def test_every_foreign_key_that_deletes_is_found_by_an_index(hub):
    """Else deleting one row reads the whole of the table that refers to it."""
    async with hub.database.connection() as connection:
        slow = await connection.fetch(
            "SELECT k.conrelid::regclass::text, k.conkey FROM pg_constraint k WHERE k.contype = 'f' "
            "AND k.connamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_index i "
            "WHERE i.indrelid = k.conrelid AND i.indkey[0] = k.conkey[1])"
        )
    assert [tuple(row) for row in slow] == []


async def test_the_page_about_the_database_tells_what_the_database_is(hub, database_url):
    await migrate_database(database_url)
    page = await schema_reference(hub.database)
    if os.environ.get("MARENGOCAM_UPDATE_REFERENCE"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page
