"""The reader's thread of one camera: records, and hands packets on without waiting for anybody."""

import itertools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from marengocam.core.clock import Clock
from marengocam.core.model import Camera, Chunk
from marengocam.ingest.backoff import LONGEST_S, Backoff
from marengocam.ingest.camera_state import CameraHealth
from marengocam.ingest.decode_queue import DecodeQueue, QueuedPacket
from marengocam.ingest.recorder import Recorder
from marengocam.ingest.recording_modes import Sights
from marengocam.media.destinations import check_destination
from marengocam.media.faults import SENTENCES, Fault, StreamError
from marengocam.media.reachability import absence
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamPacket, StreamReader

AWAY = frozenset({Fault.UNREACHABLE, Fault.REFUSED, Fault.STALLED, Fault.ENDED})  # a matter of waiting, not of settings
BACKOFF_AWAY_MAX_S = 1.5
RETURN_POLL_S = 0.5
KEYFRAME_LIMIT_S = 10.0  # pictures come for so long, and none that can be begun with
KEYFRAME_MISSING_S = 600.0  # since the last one: neither file nor analysis could ever be begun anew
STEADY_S = 10.0  # a session this long resets the backoff
_LOG = logging.getLogger(__name__)
_SESSIONS = itertools.count(1)  # of all streams: what is decoded may come from another one tomorrow


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """What a reader does with its stream."""

    url: str
    record: bool
    analyse: bool


class Reader:
    """Reads one stream of a camera until stopped, connecting again whenever it ends."""

    def __init__(
        self,
        camera: Camera,
        plan: ReadingPlan,
        *,
        store: Store,
        clock: Clock,
        chunk_s: float,
        health: CameraHealth,
        queue: DecodeQueue,
        sights: Sights,
        on_chunk: Callable[[Chunk], None],
        on_recovered: Callable[[], None],
        on_disk_full: Callable[[], None],
        loopback: bool = False,
    ) -> None:
        self._camera = camera
        self._plan = plan
        self._store = store
        self._clock = clock
        self._chunk_s = chunk_s
        self._health = health
        self._queue = queue
        self._sights = sights
        self._on_chunk = on_chunk
        self._on_recovered = on_recovered
        self._loopback = loopback
        self._on_disk_full = on_disk_full
        self._stopping = threading.Event()
        self._recording: Recorder | None = None
        self._record_lock = threading.Lock()
        self._session = 0
        self._session_began_s = 0.0
        self._feeds = plan.analyse  # the present group of pictures goes to analysis
        self._backoff = Backoff()
        self._keyframe_at_s: float | None = None  # the last one of this session
        name = f"read {camera.camera_id}{'' if plan.record else ' (sub)'}"
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def change(self, camera: Camera) -> None:
        """Serve the camera as it is configured now; what it is reached by holds from the next connection on."""
        self._camera = camera

    def analyse(self, *, wanted: bool) -> None:
        """Have the stream analysed from its next keyframe on, or no longer from now on."""
        self._plan = replace(self._plan, analyse=wanted)

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def stop(self) -> None:
        """Ask the thread to end, which it does at its next packet; it closes its chunk then."""
        self._stopping.set()

    def finish_chunk(self) -> None:
        """Close the chunk; also from outside, when the thread waits for a piece of video that is long in coming."""
        with self._record_lock:
            recorder, self._recording = self._recording, None
            if recorder is not None:
                recorder.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            began_s = self._clock.monotonic_s()
            longest_s = LONGEST_S
            try:
                self._session, self._feeds = next(_SESSIONS), self._plan.analyse
                self._serve()
            except StreamError as error:
                self._trouble(str(error))
                if error.kind in AWAY:
                    longest_s = BACKOFF_AWAY_MAX_S
                    if self._wait_for_return(error.kind):
                        self._backoff.begin_anew()
            except Exception:  # noqa: BLE001 - one bad frame or stream must not end the thread; it is logged
                _LOG.exception("camera %s: the reader failed; it starts again", self._camera.camera_id)
                self._trouble("Reading failed inside MarengoCam; it starts again. See the log of ingest.")
            if self._clock.monotonic_s() - began_s > STEADY_S:
                self._backoff.begin_anew()
            if self._stopping.is_set():
                return
            self._stopping.wait(self._backoff.wait_s(longest_s))
            self._health.counters.reconnects += 1

    def _serve(self) -> None:
        camera = self._camera
        check_destination(self._plan.url, loopback=self._loopback)
        sound = self._plan.record and camera.recording.sound
        options = StreamOptions(camera.username, camera.password, camera.transport, sound=sound)
        with StreamReader(self._plan.url, options, self._clock) as reader:
            if self._stopping.is_set():  # opening may take long, and whoever stopped it may have given up waiting
                return
            self._session_began_s, self._keyframe_at_s = self._clock.monotonic_s(), None
            self._recording = self._recorder(reader) if self._plan.record else None
            try:
                for packet in reader.packets(sound=sound):
                    with self._record_lock:
                        if self._recording is not None:
                            self._recording.take(packet, self._camera.recording)
                    if isinstance(packet, StreamPacket):
                        self._take(reader, packet)
                    if self._stopping.is_set():
                        return
            finally:
                self.finish_chunk()

    def _recorder(self, reader: StreamReader) -> Recorder:
        return Recorder(
            self._camera,
            reader,
            store=self._store,
            clock=self._clock,
            chunk_s=self._chunk_s,
            health=self._health,
            sights=self._sights,
            on_chunk=self._on_chunk,
            on_recovered=self._on_recovered,
            on_disk_full=self._on_disk_full,
        )

    def _take(self, reader: StreamReader, packet: StreamPacket) -> None:
        counters = self._health.counters
        if self._plan.record:
            counters.packets += 1
            counters.bytes += packet.size_bytes
            counters.last_packet_at = packet.at
        self._note_keyframe(begins=packet.keyframe)
        if packet.keyframe:
            self._feeds = True
        self._feeds = self._feeds and self._plan.analyse and not self._stopping.is_set()
        if self._feeds:
            counters.frames_received += 1
            video: Any = reader.video
            queued_at_s = self._clock.monotonic_s()
            self._queue.offer(QueuedPacket(packet, self._session, reader.info, video, queued_at_s))
            counters.frames_lost = self._queue.lost

    def _note_keyframe(self, *, begins: bool) -> None:
        now_s = self._clock.monotonic_s()
        if begins:
            self._keyframe_at_s = now_s
            if self._plan.record:
                self._health.flowing(self._clock.now())
            else:
                self._health.stream_problem = ""
        elif self._keyframe_at_s is None:
            if now_s - self._session_began_s > KEYFRAME_LIMIT_S:
                self._tell(SENTENCES[Fault.NO_KEYFRAME])
        elif now_s - self._keyframe_at_s > KEYFRAME_MISSING_S:
            raise StreamError(Fault.NO_KEYFRAME)  # most cameras send one to whoever connects

    def _wait_for_return(self, told: Fault) -> bool:
        """While nothing answers at the address, ask often (RETURN_POLL_S); return whether it was away and is back."""
        waited = False
        while not self._stopping.is_set() and (fault := absence(self._plan.url)) is not None:
            if fault is not told:
                self._trouble(str(StreamError(fault)))
                told = fault
            waited = True
            self._stopping.wait(RETURN_POLL_S)
        return waited

    def _trouble(self, reason: str) -> None:
        if self._stopping.is_set():
            return
        _LOG.warning("camera %s%s: %s", self._camera.camera_id, "" if self._plan.record else " (second stream)", reason)
        self._tell(reason)

    def _tell(self, reason: str) -> None:
        if self._plan.record:
            self._health.trouble(reason, self._clock.now())
        elif not self._stopping.is_set():  # another one may be read in its place by now
            self._health.stream_problem = f"Recorded, but not analysed, since its second stream fails: {reason}"
