"""The hub: the one way to what services tell each other."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from marengocam.db.access import SettingsStore, Tokens
from marengocam.db.camera_graph import CameraGraphStore
from marengocam.db.cameras import Cameras
from marengocam.db.cases import Cases
from marengocam.db.chunks import Chunks
from marengocam.db.database import Database
from marengocam.db.embedded.address import database_address, direct_address
from marengocam.db.engine_copies import EngineCopies
from marengocam.db.events import Events
from marengocam.db.firings import Firings
from marengocam.db.health import Health
from marengocam.db.history import History
from marengocam.db.keyring import Keyring
from marengocam.db.leases import Leases
from marengocam.db.listen import Callback
from marengocam.db.memory import Memory
from marengocam.db.persons import Persons
from marengocam.db.preferences import PreferencesStore
from marengocam.db.privacy import Privacy
from marengocam.db.replays import Replays
from marengocam.db.resolution import Resolution
from marengocam.db.retention import RetentionStore
from marengocam.db.rules import Rules
from marengocam.db.telling import Telling
from marengocam.db.tracks import Tracks
from marengocam.db.visits import Visits
from marengocam.db.wake_ups import WakeUps
from marengocam.db.words import Words
from marengocam.settings import Settings

DEFAULT_POOL_SIZE = 4
LEASE_CONNECTIONS = 1


@dataclass(frozen=True, slots=True)
class Hub:
    """One attribute per aggregate; every call may raise HubUnavailableError and heals by itself."""

    database: Database
    keyring: Keyring
    cameras: Cameras
    camera_graph: CameraGraphStore
    chunks: Chunks
    tracks: Tracks
    resolution: Resolution
    persons: Persons
    words: Words
    visits: Visits
    privacy: Privacy
    events: Events
    health: Health
    leases: Leases
    settings_store: SettingsStore
    preferences: PreferencesStore
    tokens: Tokens
    rules: Rules
    firings: Firings
    telling: Telling
    replays: Replays
    cases: Cases
    memory: Memory
    retention: RetentionStore
    history: History
    wake_ups: WakeUps
    engine_copies: EngineCopies

    def listen(self, channels: Sequence[str], callback: Callback) -> AbstractAsyncContextManager[None]:
        """Call `callback(channel, payload)` at every wake-up while the block runs."""
        return self.wake_ups.listen(channels, callback)


@contextlib.asynccontextmanager
async def open_hub(settings: Settings, application: str, pool_size: int = DEFAULT_POOL_SIZE) -> AsyncIterator[Hub]:
    """Open the hub; connections are made at the first call, so a database that is away is no error here."""
    direct = (lambda: direct_address(settings)) if settings.database_direct_url else None
    database, for_leases = (
        Database(lambda: database_address(settings), application, connections, direct)
        for connections in (pool_size, LEASE_CONNECTIONS)
    )
    keyring = Keyring(settings.data_dir, settings.secret_key_file)
    events = Events(database)
    wake_ups = WakeUps(database, settings.bus_url)
    try:
        yield Hub(
            database=database,
            keyring=keyring,
            cameras=Cameras(database, keyring),
            camera_graph=CameraGraphStore(database),
            chunks=Chunks(database),
            tracks=Tracks(database),
            resolution=Resolution(database, events),
            persons=Persons(database),
            words=Words(database, events),
            visits=Visits(database),
            privacy=Privacy(database),
            events=events,
            health=Health(database),
            leases=Leases(for_leases),
            settings_store=SettingsStore(database),
            preferences=PreferencesStore(database),
            tokens=Tokens(database),
            rules=Rules(database),
            firings=Firings(database),
            telling=Telling(database),
            replays=Replays(database, events),
            cases=Cases(database),
            memory=Memory(database),
            retention=RetentionStore(database),
            history=History(database),
            wake_ups=wake_ups,
            engine_copies=EngineCopies(database),
        )
    finally:
        await wake_ups.close()
        await database.close()
        await for_leases.close()
