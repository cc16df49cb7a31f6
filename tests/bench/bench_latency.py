"""From a picture on the wire to its committed LocalTrack row, and to the event that follows."""

import asyncio
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
from tests.bench.measuring import arguments_of, at_most, footage_file, moving_picture, percentile, shared_folder, tell
from tests.bench.peers import end, hub_settings, start_service
from tests.support.clips import BITS, read_number

from marengocam.core.camera_options import Analysis
from marengocam.core.model import Camera, Chunk
from marengocam.db.hub import Hub, open_hub
from marengocam.demo.rtsp import RtspServer
from marengocam.demo.video import VideoFile, read_frames

POLL_S = 0.005
WARM_UP_S = 12.0
SERVICES = ("ingest", "resolver", "automation")
ROWS = "SELECT local_track_id, revision, last_seen_at FROM local_track WHERE open"
EVENTS_AT_ONCE = 200
STRIP_PX = 24  # the frame's number, in black and white fields along the upper edge
SAME_FRAME_S = 0.02  # names of recordings keep milliseconds, and clocks are followed in small steps
ROUND_OFF_S = 20.0  # a number comes again each round of the clip, the next one later than this


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that was seen in the hub: the date of the picture it tells of, and when it was there to be read."""

    pictured_at: datetime
    read_at: datetime


@dataclass(slots=True)
class Seen:
    rows: list[Sighting] = field(default_factory=list)
    events: list[Sighting] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wire:
    """When the camera sends which frame: its clip goes round and round from `began_at` on."""

    began_at: datetime
    send_s: Sequence[float]
    round_s: float

    def sent_at(self, number: int, about: datetime) -> datetime | None:
        """Return when a frame was due on the wire, in the round that fits best."""
        if number >= len(self.send_s):
            return None
        first = self.began_at + timedelta(seconds=self.send_s[number])
        rounds = round((about - first).total_seconds() / self.round_s)
        at = first + timedelta(seconds=rounds * self.round_s)
        return at if abs((about - at).total_seconds()) < min(ROUND_OFF_S, self.round_s / 2) else None


def main() -> int:
    parser = arguments_of(__doc__, seconds=60.0)
    arguments = parser.parse_args()
    rows, events, unread = asyncio.run(measure(arguments.seconds))
    figures = {
        "row_p50_s": rounded(percentile(rows, 0.5)),
        "row_p95_s": rounded(percentile(rows, 0.95)),
        "rows": len(rows),
        "event_p50_s": rounded(percentile(events, 0.5)),
        "event_p95_s": rounded(percentile(events, 0.95)),
        "events": len(events),
        "without_a_readable_number": unread,
    }
    notes = [
        "The wire's time is the camera's: that of the frame whose number stands in the picture a row or event tells of."
    ]
    if not (footage_file("people_detection.mp4") and shared_folder("models")):
        notes.append("Footage or models are missing: nobody is seen, and no delay can be measured.")
    targets = [
        at_most("G8", "wire to committed row, p50, s", figures["row_p50_s"], 0.5),
        at_most("G8", "wire to committed row, p95, s", figures["row_p95_s"], 1.0),
    ]
    tell("latency", arguments.json, figures, targets, notes)
    return 0


async def measure(seconds: float) -> tuple[list[float], list[float], int]:
    """Return delays of rows and of events, in seconds, over so long a time, and how many could not be told."""
    with tempfile.TemporaryDirectory(prefix="mc-latency-") as name:
        folder = Path(name)
        source = footage_file("people_detection.mp4") or moving_picture(folder / "drawn.mp4", 640, 360, 10, 6, 800)
        clip = numbered(source, folder / "numbered.mp4")
        strip = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.1), (0.0, 0.1))
        async with hub_settings(chunk_s=5.0) as settings, open_hub(settings, "bench", 2) as hub:
            async with RtspServer({"front": clip}) as server:
                began_at = datetime.now(UTC)  # noqa: TID251 - the camera's clock
                units = server.mounts["front"].clip
                wire = Wire(began_at, [unit.send_s for unit in units.units], units.duration_s)
                camera = Camera("front", "Front", server.url("front"))
                await hub.cameras.add(replace(camera, analysis=Analysis(masks=(strip,))))
                processes = [start_service(service, settings, folder / f"{service}.log") for service in SERVICES]
                try:
                    await watch(hub, min(WARM_UP_S, seconds))
                    seen = await watch(hub, seconds)
                finally:
                    for process in processes:
                        await asyncio.to_thread(end, process)
            recorded = await hub.chunks.span("front", wire.began_at, datetime.now(UTC))  # noqa: TID251 - likewise
            numbers = await asyncio.to_thread(numbers_in, settings.media_dir, recorded)
    rows, events = ([delay(one, numbers, wire) for one in kind] for kind in (seen.rows, seen.events))
    told = [[one for one in kind if one is not None] for kind in (rows, events)]
    return told[0], told[1], len(rows) + len(events) - len(told[0]) - len(told[1])


def numbered(source: Path, file: Path) -> Path:
    """Write a clip again with each frame's number burnt into its upper edge."""
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        width, height, fps = stream.width, stream.height, round(stream.average_rate)
    with VideoFile(file, width, height, fps) as video:
        for number, (_, picture) in enumerate(read_frames(source)):
            burn_in(number, picture)
            video.write(picture)
    return file


def burn_in(number: int, picture: np.ndarray) -> None:
    """Write a number over a picture's upper edge."""
    bits = np.array([255 * (number >> bit & 1) for bit in range(BITS)], np.uint8)
    fields = np.repeat(bits, picture.shape[1] // BITS)
    picture[:STRIP_PX, : len(fields)] = fields[None, :, None]


def numbers_in(media_dir: Path, chunks: Sequence[Chunk]) -> list[tuple[datetime, int]]:
    """Return the date and the burnt-in number of every recorded frame, in order."""
    found = []
    for chunk in chunks:
        with av.open(str(media_dir / chunk.path)) as container:
            for frame in container.decode(video=0):
                luma = frame.to_ndarray(format="gray")[: 2 * STRIP_PX]
                found.append((chunk.started_at + timedelta(seconds=frame.time), read_number(luma)))
    return sorted(found)


def delay(one: Sighting, numbers: Sequence[tuple[datetime, int]], wire: Wire) -> float | None:
    """Return the seconds from the wire to the hub's reader; None where the picture's recording is not there."""
    after = bisect_left(numbers, (one.pictured_at, 0))
    near = min(numbers[max(after - 1, 0) : after + 1], key=lambda frame: abs(frame[0] - one.pictured_at), default=None)
    if near is None or abs((near[0] - one.pictured_at).total_seconds()) > SAME_FRAME_S:
        return None
    sent_at = wire.sent_at(near[1], near[0])
    return None if sent_at is None else (one.read_at - sent_at).total_seconds()


async def watch(hub: Hub, seconds: float) -> Seen:
    """Look again and again; each revision and each event counts once, when it is first seen."""
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + seconds
    known, seen = await revisions(hub), Seen()
    number = max((one.number for one in await hub.events.after(0, EVENTS_AT_ONCE)), default=0)
    while loop.time() < give_up_s:
        now_known = await revisions(hub)
        read_at = datetime.now(UTC)  # noqa: TID251 - the camera's clock, too
        seen.rows += [Sighting(pictured_at, read_at) for key, pictured_at in now_known.items() if key not in known]
        known |= now_known
        for event in await hub.events.after(number, EVENTS_AT_ONCE):
            number = event.number
            seen.events.append(Sighting(event.occurred_at, datetime.now(UTC)))  # noqa: TID251 - likewise
        await asyncio.sleep(POLL_S)
    return seen


async def revisions(hub: Hub) -> dict[tuple[object, int], datetime]:
    async with hub.database.connection() as connection:
        return {(row[0], row[1]): row[2] for row in await connection.fetch(ROWS)}


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


if __name__ == "__main__":
    sys.exit(main())
