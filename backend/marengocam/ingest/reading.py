"""The reader's thread of one camera: records, and hands packets on without waiting for anybody."""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marengocam.core.clock import Clock
from marengocam.core.errors import StoreError
from marengocam.core.model import Camera, Chunk
from marengocam.ingest.camera_state import CameraHealth
from marengocam.ingest.decode_queue import DecodeQueue, QueuedPacket
from marengocam.media.chunk_writer import ChunkWriter
from marengocam.media.faults import StreamError
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamPacket, StreamReader

BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 10.0
STORE_RETRY_S = 2.0
STEADY_S = 10.0  # a session this long resets the backoff
_LOG = logging.getLogger(__name__)


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
        on_chunk: Callable[[Chunk], None],
    ) -> None:
        self._camera = camera
        self._plan = plan
        self._store = store
        self._clock = clock
        self._chunk_s = chunk_s
        self._health = health
        self._queue = queue
        self._on_chunk = on_chunk
        self._stopping = threading.Event()
        self._session = 0
        self._store_retry_at_s = 0.0
        self._writer: ChunkWriter | None = None
        name = f"read {camera.camera_id}{'' if plan.record else ' (sub)'}"
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it closes its chunk first."""
        self._stopping.set()

    def _run(self) -> None:
        backoff_s = BACKOFF_FIRST_S
        while not self._stopping.is_set():
            began_s = self._clock.monotonic_s()
            try:
                self._session += 1
                self._serve()
            except StreamError as error:
                self._trouble(str(error))
            except Exception:  # noqa: BLE001 - one bad frame or stream must not end the thread; it is logged
                _LOG.exception("camera %s: the reader failed; it starts again", self._camera.camera_id)
                self._trouble("Reading failed inside MarengoCam; it starts again. See the log of ingest.")
            if self._clock.monotonic_s() - began_s > STEADY_S:
                backoff_s = BACKOFF_FIRST_S
            if self._stopping.is_set():
                return
            self._stopping.wait(backoff_s * random.uniform(0.7, 1.3))  # noqa: S311 - jitter, not a secret
            backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
            self._health.counters.reconnects += 1

    def _serve(self) -> None:
        options = StreamOptions(self._camera.username, self._camera.password)
        with StreamReader(self._plan.url, options, self._clock) as reader:
            if self._plan.record:
                self._writer = ChunkWriter(
                    self._store, self._camera.camera_id, reader.video, reader.info, self._chunk_s
                )
            try:
                for packet in reader:
                    self._take(reader, packet)
                    if self._stopping.is_set():
                        return
            finally:
                self._finish()

    def _take(self, reader: StreamReader, packet: StreamPacket) -> None:
        counters = self._health.counters
        if self._plan.record:
            counters.packets += 1
            counters.bytes += packet.size_bytes
            counters.last_packet_at = packet.at
            self._record(packet)
            if packet.keyframe:
                self._health.flowing(self._clock.now())
        if self._plan.analyse:
            video: Any = reader.video
            self._queue.offer(QueuedPacket(packet, self._session, reader.info, video))
            counters.frames_lost = self._queue.lost
            self._health.analysis_problem = ""

    def _record(self, packet: StreamPacket) -> None:
        assert self._writer is not None
        if self._store_retry_at_s > self._clock.monotonic_s():
            return
        try:
            finished = self._writer.write(packet)
            if packet.keyframe:  # others may only have been passed over
                self._health.recording_problem = ""
        except StoreError as error:
            self._store_retry_at_s = self._clock.monotonic_s() + STORE_RETRY_S
            self._health.recording_problem = str(error)
            _LOG.error("camera %s is not recorded: %s", self._camera.camera_id, error)
            return
        if finished is not None:
            self._done(finished)

    def _finish(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            finished = writer.close()
        except StoreError as error:
            _LOG.error("camera %s: %s", self._camera.camera_id, error)
            return
        if finished is not None:
            self._done(finished)

    def _done(self, chunk: Chunk) -> None:
        self._health.counters.chunks += 1
        self._on_chunk(chunk)

    def _trouble(self, reason: str) -> None:
        if self._stopping.is_set():
            return
        _LOG.warning("camera %s%s: %s", self._camera.camera_id, "" if self._plan.record else " (second stream)", reason)
        if self._plan.record:
            self._health.trouble(reason, self._clock.now())
        else:
            self._health.analysis_problem = f"Recorded, but not analysed, since its second stream fails: {reason}"
