"""When a camera is recorded, and the moments before that are kept in memory until then."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from marengocam.core.camera_options import Recording, RecordingMode
from marengocam.media.sound import SoundPacket
from marengocam.media.stream import StreamPacket

BLIND_LIMIT = timedelta(seconds=10)  # without an analysed frame for longer, nobody knows what happens: it is recorded
ANSWER_WITHIN_S = 2.0  # a look that takes longer says too late what it saw: it is recorded meanwhile
PRE_ROLL_LIMIT_BYTES = 64 * 1024 * 1024  # per camera, whatever its bit rate

MediaPacket = StreamPacket | SoundPacket


@dataclass(slots=True)
class Sights:
    """What analysis saw last of a camera, by the time of the frame; one thread writes, others read."""

    looked_at: datetime | None = None
    motion_at: datetime | None = None
    person_at: datetime | None = None
    unsure_at: datetime | None = None  # somebody may have been there: nobody could look
    asked_since_s: float | None = None  # a look that is under way, by the monotonic clock
    wished_until: datetime | None = None  # a rule has it recorded until then; another thread writes this one

    def note(self, at: datetime, *, motion: bool, person: bool) -> None:
        """Take in what one analysed frame showed."""
        if motion:
            self.motion_at = at
        if person:
            self.person_at = at
        self.looked_at = at

    def waits(self, now_s: float) -> bool:
        """Return whether a look takes so long that nobody knows what happens."""
        since_s = self.asked_since_s
        return since_s is not None and now_s - since_s > ANSWER_WITHIN_S


def records(recording: Recording, sights: Sights, at: datetime) -> bool:
    """Return whether what is filmed at a moment is to be kept, by what is known so far.

    When analysis is blind, everything is: a moment that is not recorded cannot be had again.
    """
    if recording.mode is RecordingMode.ALWAYS:
        return True
    if recording.mode is RecordingMode.OFF:
        return False
    if sights.wished_until is not None and at <= sights.wished_until:
        return True
    if sights.looked_at is None or abs(at - sights.looked_at) > BLIND_LIMIT:
        return True
    seen_at = sights.motion_at if recording.mode is RecordingMode.MOTION else sights.person_at
    # By how far analysis has come: one that is behind by more than the post-roll would have nothing recorded.
    until, post_roll = seen_until(sights, at), timedelta(seconds=recording.post_roll_s)
    # What nobody could look at came after the last look, and counts until there is one.
    return any(one is not None and -BLIND_LIMIT <= until - one <= post_roll for one in (seen_at, sights.unsure_at))


def seen_until(sights: Sights, at: datetime) -> datetime:
    """Return how far analysis has come with a stream whose last packet is of `at`; that moment when it never looked."""
    looked_at = sights.looked_at
    return looked_at if looked_at is not None and looked_at <= at else at


class PreRoll:
    """The last seconds of a stream, whole groups of pictures with their sound, bounded in time and bytes."""

    def __init__(self, length_s: float, limit_bytes: int = PRE_ROLL_LIMIT_BYTES) -> None:
        self._length = timedelta(seconds=length_s)
        self._limit_bytes = limit_bytes
        self._groups: deque[_Group] = deque()

    def keep(self, length_s: float) -> None:
        """Keep so many seconds from now on; with 0 only the present group of pictures."""
        self._length = timedelta(seconds=length_s)

    def clear(self) -> None:
        """Forget what is kept."""
        self._groups.clear()

    def held(self) -> Iterator[MediaPacket]:
        """Yield what is kept, in order; it stays. It begins with a keyframe."""
        for group in self._groups:
            yield from group.packets

    def add(self, packet: MediaPacket, until: datetime | None = None) -> None:
        """Keep a packet; what is older than needed goes, and what follows a lost keyframe is not kept.

        The length is counted from `until`, the packet's own time when not given.
        """
        if isinstance(packet, StreamPacket) and packet.keyframe:
            if packet.jumped or packet.changed is not None:
                self._groups.clear()
            self._groups.append(_Group(packet.at))
            self._drop_old(until or packet.at)
        if not self._groups:
            return
        self._groups[-1].add(packet)
        while self._groups and self.size_bytes > self._limit_bytes:
            self._groups.popleft()

    def take(self, until: datetime | None = None) -> Iterator[MediaPacket]:
        """Yield what is kept, in order, and forget it; it begins with a keyframe. The length is counted as in `add`."""
        if until is not None:
            self._drop_old(until)
        while self._groups:
            yield from self._groups.popleft().packets

    @property
    def size_bytes(self) -> int:
        """How much is kept."""
        return sum(group.size_bytes for group in self._groups)

    def _drop_old(self, now: datetime) -> None:
        """Drop the groups that end before the wanted length begins."""
        while len(self._groups) > 1 and self._groups[1].started_at <= now - self._length:
            self._groups.popleft()


class _Group:
    """A keyframe and what depends on it."""

    def __init__(self, started_at: datetime) -> None:
        self.started_at = started_at
        self.packets: list[MediaPacket] = []
        self.size_bytes = 0

    def add(self, packet: MediaPacket) -> None:
        self.packets.append(packet)
        self.size_bytes += packet.size_bytes
