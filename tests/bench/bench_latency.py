"""From a picture on the wire to its committed LocalTrack row, and to the event that follows."""

import asyncio
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.measuring import arguments_of, at_most, footage_file, moving_picture, percentile, shared_folder, tell
from tests.bench.peers import cameras, end, hub_settings, start_service

from marengocam.core.model import Camera
from marengocam.db.hub import Hub, open_hub

POLL_S = 0.005
WARM_UP_S = 12.0
SERVICES = ("ingest", "resolver", "automation")
ROWS = "SELECT local_track_id, revision, last_seen_at FROM local_track WHERE open"
EVENTS_AT_ONCE = 200


def main() -> int:
    parser = arguments_of(__doc__, seconds=60.0)
    arguments = parser.parse_args()
    rows, events = asyncio.run(measure(arguments.seconds))
    figures = {
        "row_p50_s": rounded(percentile(rows, 0.5)),
        "row_p95_s": rounded(percentile(rows, 0.95)),
        "rows": len(rows),
        "event_after_it_happened_p50_s": rounded(percentile(events, 0.5)),
        "event_after_it_happened_p95_s": rounded(percentile(events, 0.95)),
        "events": len(events),
    }
    notes = ["The wire's time is the stream's: a row's last sight, as dated on arrival of that picture's packet."]
    if not (footage_file("people_detection.mp4") and shared_folder("models")):
        notes.append("Footage or models are missing: nobody is seen, and no delay can be measured.")
    targets = [
        at_most("G8", "wire to committed row, p50, s", figures["row_p50_s"], 0.5),
        at_most("G8", "wire to committed row, p95, s", figures["row_p95_s"], 1.0),
    ]
    tell("latency", arguments.json, figures, targets, notes)
    return 0


async def measure(seconds: float) -> tuple[list[float], list[float]]:
    """Return delays of rows and of events, in seconds, over so long a time."""
    with tempfile.TemporaryDirectory(prefix="mc-latency-") as name:
        folder = Path(name)
        clip = footage_file("people_detection.mp4") or moving_picture(folder / "camera.mp4", 640, 360, 10, 6, 800)
        async with hub_settings() as settings, open_hub(settings, "bench", 2) as hub:
            with cameras({"front": clip}) as urls:
                await hub.cameras.add(Camera("front", "Front", urls["front"]))
                processes = [start_service(service, settings, folder / f"{service}.log") for service in SERVICES]
                try:
                    await watch(hub, min(WARM_UP_S, seconds))
                    return await watch(hub, seconds)
                finally:
                    for process in processes:
                        end(process)


async def watch(hub: Hub, seconds: float) -> tuple[list[float], list[float]]:
    """Look again and again; each revision and each event counts once, when it is first seen."""
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + seconds
    known, rows, events = await revisions(hub), [], []
    number = max((one.number for one in await hub.events.after(0, EVENTS_AT_ONCE)), default=0)
    while loop.time() < give_up_s:
        now_known = await revisions(hub)
        seen_at = datetime.now(UTC)  # noqa: TID251 - by the clock that dates pictures
        for key, last_seen_at in now_known.items():
            if key not in known:
                rows.append((seen_at - last_seen_at).total_seconds())
        known |= now_known
        for event in await hub.events.after(number, EVENTS_AT_ONCE):
            number = event.number
            events.append((datetime.now(UTC) - event.occurred_at).total_seconds())  # noqa: TID251 - likewise
        await asyncio.sleep(POLL_S)
    return rows, events


async def revisions(hub: Hub) -> dict[tuple[object, int], datetime]:
    async with hub.database.connection() as connection:
        return {(row[0], row[1]): row[2] for row in await connection.fetch(ROWS)}


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


if __name__ == "__main__":
    sys.exit(main())
