"""A house's database of any earlier schema is brought up to date with its rows: kept, readable, with present rights."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import numpy as np
import pytest

from marengocam.check.invariants import check
from marengocam.core.secret import Secret
from marengocam.db.hub import open_hub
from marengocam.db.migrate import known_migrations, migrate_as_owner, migrate_database
from marengocam.db.reference import schema_reference
from marengocam.db.roles import ROLES, SERVICES
from marengocam.db.tracks import TrackFilter

CALL_LIMIT_S = 30.0
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
ALICE, KNOWN, STRANGER, WALK, LATE, WORD, RULE, RUN, CASE = (UUID(int=number, version=4) for number in range(1, 10))
FACE = "[" + ",".join(["1", *["0"] * 127]) + "]"
# What a house has of each schema step's tables, in that step's own form.
ROWS = {
    1: f"""
        INSERT INTO camera (camera_id, name, main_url, username)
            VALUES ('front', 'Front', 'rtsp://camera.example/1', 'u');
        INSERT INTO zone VALUES ('{WALK}', 'front', 'Porch', '[[0, 0], [1, 0], [1, 1]]');
        INSERT INTO person (person_id, name, created_at) VALUES ('{ALICE}', 'Alice', '{AT}');
        INSERT INTO identity (identity_id, person_id, first_seen_at, last_seen_at, created_at) VALUES
            ('{KNOWN}', '{ALICE}', '{AT}', '{AT}', '{AT}'), ('{STRANGER}', NULL, '{AT}', '{AT}', '{AT}');
        INSERT INTO local_track (local_track_id, camera_id, label, open, first_seen_at, last_seen_at, score,
            observations, face, face_model, face_quality, resolved_revision) VALUES
            ('{WALK}', 'front', 'person', false, '{AT}', '{AT}', 0.9, 5, '{FACE}', 'm', 0.8, 1),
            ('{LATE}', 'front', 'person', false, '{AT}', '{AT}', 0.9, 5, '{FACE}', 'm', 0.8, 1);
        INSERT INTO assignment (local_track_id, identity_id, probability, margin, evidence, decided_by, decided_at)
            VALUES
            ('{WALK}', '{KNOWN}', 0.99, 4, '{{"cues": []}}', 'resolver', '{AT}'),
            ('{LATE}', '{STRANGER}', 0.5, 1, '{{"cues": []}}', 'resolver', '{AT}');
        INSERT INTO exemplar (exemplar_id, person_id, identity_id, local_track_id, kind, model, embedding, quality,
            source, created_at) VALUES
            ('{KNOWN}', '{ALICE}', NULL, NULL, 'face', 'm', '{FACE}', 0.9, 'enrolled', '{AT}'),
            ('{STRANGER}', NULL, '{STRANGER}', '{LATE}', 'face', 'm', '{FACE}', 0.8, 'observed', '{AT}');
        UPDATE event_counter SET last_number = 1;
        INSERT INTO event (number, event_id, type, occurred_at, camera_id, local_track_id, person_id, person_name)
            VALUES (1, '{WALK}', 'person_confirmed', '{AT}', 'front', '{WALK}', '{ALICE}', 'Alice');
        INSERT INTO setting (key, value) VALUES ('installation_id', '"{RUN}"');
    """,
    4: f"""
        INSERT INTO word (word_id, kind, said_at, said_by, summary, subjects, changed)
            VALUES ('{WORD}', 'name', '{AT}', 'phone', 'This is Alice.', '{{{KNOWN}}}', '{{{KNOWN}}}');
        INSERT INTO denial VALUES ('{STRANGER}', '{ALICE}', '{WORD}');
    """,
    8: f"""
        INSERT INTO replay_run (run_id, camera_id, state, requested_at) VALUES ('{RUN}', 'front', 'finished', '{AT}');
        INSERT INTO replay_case (case_id, name, camera_id, from_at, to_at, expected, created_at)
            VALUES ('{CASE}', 'the walk', 'front', '{AT}', '{AT}'::timestamptz + interval '1 s', 'person:Alice',
                '{AT}');
    """,
}
OLD_RULE = f"""
    INSERT INTO rule (rule_id, name, event_type, conditions, mqtt_topic, created_at)
        VALUES ('{RULE}', 'Light', 'person_confirmed', '{{"camera_id": "front", "person": "Alice"}}', 'house/light',
            '{AT}')
"""
NEW_RULE = f"""
    INSERT INTO rule (rule_id, name, event_types, conditions, actions, created_at)
        VALUES ('{RULE}', 'Light', '{{person_confirmed}}', '{{"cameras": ["front"], "persons": ["Alice"]}}',
            '[{{"mqtt": {{"topic": "house/light"}}}}]', '{AT}')
"""
RULES_CHANGED_AT = 7
STEPS = known_migrations()


async def connected(address: Secret) -> asyncpg.Connection:
    return await asyncpg.connect(address.reveal(), timeout=CALL_LIMIT_S, command_timeout=CALL_LIMIT_S)


@pytest.fixture
async def owner(database_url):
    """Lends a connection to a database without any table."""
    connection = await connected(database_url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    yield connection
    await connection.close(timeout=CALL_LIMIT_S)


@pytest.mark.parametrize("version", [step.version for step in STEPS[:-1]])
async def test_every_row_of_an_older_house_is_there_and_readable(
    owner, hub_settings, database_url, version, monkeypatch
):
    with monkeypatch.context() as then:
        then.setattr("marengocam.db.migrate.grant_rights", _no_rights)  # today's are of tables that are not there yet
        for step in STEPS[:version]:
            await migrate_database(database_url, STEPS[: step.version])
            if step.version in ROWS:
                await owner.execute(ROWS[step.version])
    await owner.execute(OLD_RULE if version < RULES_CHANGED_AT else NEW_RULE)

    assert await migrate_as_owner(hub_settings, None) == [step.version for step in STEPS[version:]]

    async with open_hub(hub_settings, "test") as hub:
        (camera,) = await hub.cameras.list()
        assert (camera.camera_id, camera.username, camera.recording.mode, len(camera.zones)) == (
            "front",
            "u",
            "always",
            1,
        )
        (alice,) = await hub.persons.list()
        assert (alice.person.person_id, alice.person.name, alice.faces) == (ALICE, "Alice", 1)
        faces = await hub.persons.exemplars()
        assert np.allclose(faces[0].embedding.vector, np.eye(128)[0])
        seen = {one.track.local_track_id: one.person_name for one in await hub.tracks.list(TrackFilter(), 10)}
        assert seen == {WALK: "Alice", LATE: None}
        assert [(one.number, one.person_name) for one in await hub.events.after(0, 10)] == [(1, "Alice")]
        (rule,) = await hub.rules.list()
        assert (rule.name, rule.actions[0].topic) == ("Light", "house/light")
        assert await hub.settings_store.installation_id() == RUN
        if version >= 4:
            assert [one.summary for one in await hub.words.list(10)] == ["This is Alice."]
        if version >= 8:
            assert [(one.name, one.expected) for one in await hub.cases.list()] == [("the walk", "person:Alice")]
            assert [one.run_id for one in await hub.replays.list(10)] == [RUN]
        page = await schema_reference(hub.database)
    assert await check(hub_settings, deep=False, json_file=None) == 0
    remembered = await owner.fetch("SELECT exemplar_id FROM exemplar WHERE remembered")
    assert [row["exemplar_id"] for row in remembered] == [STRANGER], "the stranger of before is known again"
    await owner.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await migrate_database(database_url)
    async with open_hub(hub_settings, "test") as hub:
        assert await schema_reference(hub.database) == page, "a house that was brought up to date is as a new one"


async def test_roles_of_before_get_their_present_limits_and_rights_though_the_schema_is_as_it_was(hub_settings, owner):
    passwords = {service: Secret(f"{service}-word") for service in SERVICES}
    await migrate_as_owner(hub_settings, passwords)
    fresh = await _limits(owner)
    for role in ROLES:
        await owner.execute(f"ALTER ROLE {role} CONNECTION LIMIT 3")
        await owner.execute(f"ALTER ROLE {role} SET idle_in_transaction_session_timeout = '60s'")
        await owner.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
    await owner.execute("GRANT DELETE ON event TO marengocam_face")
    assert await migrate_as_owner(hub_settings, passwords) == []
    assert await _limits(owner) == fresh
    assert {"idle_in_transaction_session_timeout=10s", "statement_timeout=10s"} <= set(fresh["marengocam_web"][1])


async def _no_rights(_connection: object) -> list[str]:
    return []


async def _limits(owner: asyncpg.Connection) -> dict[str, tuple[int, list[str], list[tuple[str, str]]]]:
    """Return each role's connections, times and rights."""
    found = {}
    for row in await owner.fetch(
        "SELECT rolname, rolconnlimit, rolconfig FROM pg_roles WHERE rolname = ANY($1)", ROLES
    ):
        rights = await owner.fetch(
            "SELECT table_name::text, privilege_type::text FROM information_schema.role_table_grants "
            "WHERE grantee = $1 AND table_schema = 'public' ORDER BY 1, 2",
            row["rolname"],
        )
        found[row["rolname"]] = (row["rolconnlimit"], sorted(row["rolconfig"]), [tuple(one) for one in rights])
    return found
