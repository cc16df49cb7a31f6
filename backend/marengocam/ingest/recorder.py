"""What of one stream session goes to the disk: by recording mode, with pre-roll, over disk errors."""

import logging
from collections.abc import Callable

from marengocam.core.camera_options import Recording, RecordingMode
from marengocam.core.clock import Clock
from marengocam.core.errors import StoreError
from marengocam.core.model import Camera, Chunk
from marengocam.ingest.camera_state import CameraHealth
from marengocam.ingest.recording_modes import MediaPacket, PreRoll, Sights, records, seen_until
from marengocam.media.chunk_writer import ChunkWriter
from marengocam.media.last_resort import is_full
from marengocam.media.sound import sound_track
from marengocam.media.store import Store
from marengocam.media.stream import StreamPacket, StreamReader

STORE_RETRY_S = 0.5
HELD_S = 10.0  # of video kept in memory while the disk refuses it
_LOG = logging.getLogger(__name__)


class Recorder:
    """Writes a camera's packets as its recording mode wants it; call `close` at the session's end.

    No error leaves it: trouble with the disk is told in the camera's health, and recording goes on when it is over;
    `on_recovered` is called then, since an abandoned file is left to be adopted.
    """

    def __init__(
        self,
        camera: Camera,
        reader: StreamReader,
        *,
        store: Store,
        clock: Clock,
        chunk_s: float,
        health: CameraHealth,
        sights: Sights,
        on_chunk: Callable[[Chunk], None],
        on_recovered: Callable[[], None],
        on_disk_full: Callable[[], None],
    ) -> None:
        self._camera = camera
        self._recording = camera.recording
        self._clock = clock
        self._health = health
        self._sights = sights
        self._on_chunk = on_chunk
        self._on_recovered = on_recovered
        self._on_disk_full = on_disk_full
        self._retry_at_s = 0.0
        self._writing = self._recording.mode is RecordingMode.ALWAYS
        self._pre_roll = PreRoll(self._recording.pre_roll_s)
        self._recent = PreRoll(0.0)  # the present group of pictures, in case the disk refuses it
        self._refused = False
        template = reader.sound if self._recording.sound else None
        sound = sound_track(template) if template is not None else None
        self._writer = ChunkWriter(store, camera.camera_id, reader.video, reader.info, chunk_s, sound)

    def take(self, packet: MediaPacket, recording: Recording) -> None:
        """Write a packet, or keep it for the pre-roll, as its owner wants it now."""
        if recording is not self._recording:
            self._change(recording)
        if recording.mode is RecordingMode.OFF:
            if isinstance(packet, StreamPacket) and packet.changed is not None:
                self._writer.note_change(packet.changed)
            return
        if isinstance(packet, StreamPacket):
            self._switch(packet)
        if self._writing:
            self._write(packet)
        else:
            self._pre_roll.add(
                packet, seen_until(self._sights, packet.at) if isinstance(packet, StreamPacket) else None
            )

    def close(self) -> None:
        """Finish the present chunk."""
        self._health.recording = False
        try:
            finished = self._writer.close()
        except StoreError as error:
            _LOG.error("camera %s: %s", self._camera.camera_id, error)
            self._health.recording_problem = str(error)  # until one is begun: this file is adopted then
            return
        self._tell(finished)

    def _change(self, recording: Recording) -> None:
        """Record otherwise from the next packet on; off ends at once, and nothing of before is kept in memory."""
        self._recording = recording
        self._pre_roll.keep(recording.pre_roll_s)
        self._writer.silent = not recording.sound
        if recording.mode is RecordingMode.OFF:
            self._pre_roll.clear()
            self._recent.clear()
            self._writing = self._refused = False
            self.close()

    def _switch(self, packet: StreamPacket) -> None:
        """Begin at once, with the pre-roll; end at a keyframe only, since the next pre-roll has to begin with it."""
        wanted = records(self._recording, self._sights, packet.at) or self._sights.waits(self._clock.monotonic_s())
        if wanted and not self._writing:
            self._writing = True
            for kept in self._pre_roll.take(seen_until(self._sights, packet.at)):
                self._write(kept)
        elif self._writing and not wanted and packet.keyframe:
            self._writing = False
            self.close()
        if not self._writing and packet.changed is not None:
            self._writer.note_change(packet.changed)

    def _write(self, packet: MediaPacket) -> None:
        self._recent.add(packet)
        if self._retry_at_s > self._clock.monotonic_s():
            return
        self._health.writing_since_s = self._clock.monotonic_s()
        try:
            if self._refused:
                # From the keyframe before the refusal: a second twice rather than none.
                for held in self._recent.held():
                    self._put(held)
                self._refused = False
                self._recent.keep(0.0)
            else:
                self._put(packet)
        except StoreError as error:
            self._refuse(error)
        finally:
            self._health.writing_since_s = None

    def _put(self, packet: MediaPacket) -> None:
        if not isinstance(packet, StreamPacket):
            self._writer.write_sound(packet)
            return
        self._tell(self._writer.write(packet))
        self._health.recording = True
        if packet.keyframe and self._health.recording_problem:  # others may only have been passed over
            self._health.recording_problem = ""
            self._on_recovered()

    def _refuse(self, error: StoreError) -> None:
        self._retry_at_s = self._clock.monotonic_s() + STORE_RETRY_S
        if not self._refused:
            _LOG.error("camera %s is not recorded: %s", self._camera.camera_id, error)
        self._refused = True
        self._recent.keep(HELD_S)
        self._health.recording_problem = str(error)
        self._health.recording = False
        if is_full(error):
            self._on_disk_full()

    def _tell(self, finished: Chunk | None) -> None:
        if finished is not None:
            self._health.counters.chunks += 1
            self._on_chunk(finished)
