"""What a StreamReader gives of a stream, looked at as tests want it."""

import itertools
import threading
from dataclasses import dataclass, field

from marengocam.core.clock import SystemClock
from marengocam.media.sound import SoundPacket
from marengocam.media.stream import StreamInfo, StreamOptions, StreamPacket, StreamReader


@dataclass(slots=True)
class Watched:
    """What was read."""

    info: StreamInfo
    pictures: list[StreamPacket] = field(default_factory=list)
    sounds: list[SoundPacket] = field(default_factory=list)
    ages_s: list[float] = field(default_factory=list)  # how long ago each picture was filmed when it was handed over

    @property
    def steps_s(self) -> list[float]:
        """Seconds of wall time from picture to picture."""
        return [(b.at - a.at).total_seconds() for a, b in itertools.pairwise(self.pictures)]

    @property
    def runs_smoothly(self) -> bool:
        """Whether times rise and nothing jumped or changed."""
        rises = all(step_s > 0 for step_s in self.steps_s)
        rises = rises and all(b.stream_s > a.stream_s for a, b in itertools.pairwise(self.pictures))
        return rises and not any(one.jumped or one.changed for one in self.pictures)


def watch(
    url: str, options: StreamOptions | None = None, pictures: int = 40, begun: threading.Event | None = None
) -> Watched:
    """Read so many pictures, and the sound between them; `begun` is set at the first."""
    clock = SystemClock()
    with StreamReader(url, options or StreamOptions(), clock) as reader:
        watched = Watched(reader.info)
        for packet in reader.packets(sound=True):
            if isinstance(packet, SoundPacket):
                watched.sounds.append(packet)
                continue
            watched.pictures.append(packet)
            if begun is not None:
                begun.set()
            watched.ages_s.append((clock.now() - packet.at).total_seconds())
            if len(watched.pictures) >= pictures:
                break
    return watched
