"""What ingest tells of a disk that takes no more, and that it makes room whatever the disk says of itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from marengocam.core.clock import ManualClock
from marengocam.ingest.room import AT_LEAST_FILES, DISK_FULL_REASON, NO_FILES_REASON, QUOTA_HOLDS_S, QUOTA_REASON, Room
from marengocam.media.names import RecordingName
from marengocam.media.space import Space
from marengocam.media.store import Store

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PLENTY = Space(1000, 500, total_files=1000, free_files=500)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store(tmp_path)
    store.prepare(uuid4())
    for number in range(3 * AT_LEAST_FILES):
        at = NOON + timedelta(minutes=number)
        file = tmp_path / RecordingName("front", at, uuid4()).path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"old")
    monkeypatch.setattr(Store, "space", lambda _: PLENTY)
    return store


def test_a_quota_costs_the_oldest_and_is_told_until_it_has_been_kept_for_a_while(store: Store) -> None:
    clock = ManualClock(NOON)
    room = Room(store, clock)
    room.look()
    assert (room.problem, room.given_up) == ("", 0)
    room.refused()
    room.look()
    assert (room.problem, room.given_up) == (QUOTA_REASON, AT_LEAST_FILES)
    clock.advance(QUOTA_HOLDS_S / 2)
    room.look()
    assert (room.problem, room.given_up) == (QUOTA_REASON, AT_LEAST_FILES), "it is told, and nothing more goes"
    clock.advance(QUOTA_HOLDS_S)
    room.look()
    assert room.problem == ""


@pytest.mark.parametrize(
    ("space", "reason"),
    [(Space(1000, 10, 1000, 500), DISK_FULL_REASON), (Space(1000, 500, 1000, 10), NO_FILES_REASON)],
)
def test_what_the_disk_lacks_is_told(store: Store, monkeypatch: pytest.MonkeyPatch, space: Space, reason: str) -> None:
    monkeypatch.setattr(Store, "space", lambda _: space)
    room = Room(store, ManualClock(NOON))
    room.look()
    assert room.problem == reason


class RefusedMeanwhile(Room):
    """A write is refused just after the first look has seen that none was."""

    asked = 0

    @property
    def _refused(self) -> bool:
        found, self.asked = self._told, self.asked + 1
        if self.asked == 1:
            self._told = True
        return found

    @_refused.setter
    def _refused(self, told: bool) -> None:
        self._told = told


def test_a_refusal_while_it_looks_is_there_at_the_next_look(store: Store) -> None:
    room = RefusedMeanwhile(store, ManualClock(NOON))
    room.look()
    assert room.given_up == 0
    room.look()
    assert room.given_up == AT_LEAST_FILES
