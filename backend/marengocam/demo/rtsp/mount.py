"""One live camera: a file played round after round at real speed to whoever is connected."""

import asyncio
import contextlib
import secrets
from dataclasses import dataclass, field

from marengocam.demo.rtsp.clip import Clip
from marengocam.demo.rtsp.rtp import Packetizer

QUEUE_PACKETS = 4000  # of one client; one that reads slower is dropped, as cameras do


@dataclass(eq=False, slots=True)
class Viewer:
    """A connected client's packets on their way."""

    packetizer: Packetizer
    queue: "asyncio.Queue[bytes | None]" = field(default_factory=lambda: asyncio.Queue(QUEUE_PACKETS))


class Mount:
    """Plays a clip to its viewers; all see the same moment."""

    def __init__(self, clip: Clip) -> None:
        self.clip = clip
        self.viewers: set[Viewer] = set()
        self.stalled = False  # True: connected, but nothing comes
        self.refusing = False  # True: new viewers are told that the camera is busy
        self._next: Clip | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to play."""
        self._task = asyncio.create_task(self._play())

    async def stop(self) -> None:
        """End, and send everybody away."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.drop_viewers()

    def join(self) -> Viewer:
        """Connect a viewer at the present moment, keyframe or not."""
        viewer = Viewer(Packetizer(self.clip.codec, secrets.randbits(32)))
        self.viewers.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Disconnect a viewer."""
        self.viewers.discard(viewer)

    def change(self, clip: Clip) -> None:
        """Show another clip from the next round on, to the same viewers: a camera whose settings are changed."""
        self._next = clip

    def drop_viewers(self) -> None:
        """Close every connection, as a camera does that restarts."""
        for viewer in self.viewers:
            while viewer.queue.full():
                viewer.queue.get_nowait()
            viewer.queue.put_nowait(None)
        self.viewers.clear()

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        base_s = 0.0
        while True:
            for unit in self.clip.units:
                await asyncio.sleep(max(0.0, started_s + base_s + unit.send_s - loop.time()))
                if not self.stalled:
                    for viewer in list(self.viewers):
                        self._send(viewer, [*viewer.packetizer.packets(unit, base_s + unit.show_s)])
            base_s += self.clip.duration_s
            self.clip, self._next = self._next or self.clip, None

    def _send(self, viewer: Viewer, packets: list[bytes]) -> None:
        if viewer.queue.qsize() + len(packets) >= QUEUE_PACKETS:
            viewer.queue.get_nowait()
            viewer.queue.put_nowait(None)
            self.leave(viewer)
            return
        for packet in packets:
            viewer.queue.put_nowait(packet)
