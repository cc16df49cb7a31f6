"""`marengocam check`: whether the promises of docs/design/contracts.md hold on this installation."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path, PurePosixPath

import av

from marengocam.core.clock import Clock, SystemClock
from marengocam.core.errors import MarengoCamError
from marengocam.core.model import Chunk
from marengocam.db.hub import Hub, open_hub
from marengocam.media.last_resort import given_up
from marengocam.media.mp4.fragments import read_index
from marengocam.media.names import GROWING_SUFFIX, MOVING_SUFFIX, PICTURES, RECORDINGS, RecordingName
from marengocam.media.store import Store
from marengocam.settings import Settings

PAGE = 500
WAITING = timedelta(minutes=2)  # a finished file may wait so long for its row
SHOWN_PROBLEMS = 20


@dataclass(slots=True)
class Finding:
    """One invariant: how much was looked at, and what breaks it."""

    name: str
    text: str
    checked: int = 0
    problems: list[str] = field(default_factory=list)


async def check(settings: Settings, *, deep: bool = False, json_file: Path | None = None) -> int:
    """Verify the invariants, print a line each; return 0 when all hold, else 1.

    With `deep` every frame is decoded. Raises HubUnavailableError.
    """
    async with open_hub(settings, "check", pool_size=2) as hub:
        findings = await findings_of(hub, Store(settings.media_dir, settings.archive_dir), SystemClock(), deep=deep)
    for finding in findings:
        state = "holds" if not finding.problems else f"BROKEN {len(finding.problems)} times"
        print(f"{finding.name}  {finding.text}: {finding.checked} checked, {state}")  # noqa: T201 - a command
        for problem in finding.problems[:SHOWN_PROBLEMS]:
            print(f"    {problem}")  # noqa: T201 - a command
    if json_file is not None:
        content = json.dumps([asdict(finding) for finding in findings], indent=2)
        await asyncio.to_thread(json_file.write_text, content)
    return int(any(finding.problems for finding in findings))


async def findings_of(hub: Hub, store: Store, clock: Clock, *, deep: bool) -> list[Finding]:
    """Return what holds and what does not."""
    rows = Finding("I1", "a chunk row implies a file of that size whose frames can be read")
    files = Finding("I2", "every media file is indexed, waiting to be indexed, or condemned")
    known: set[str] = set()
    gone = await asyncio.to_thread(given_up, store)  # condemned without the hub: their rows follow
    known |= {str(path) for path in gone}
    async for chunk, condemned, other_path in _all_chunks(hub):
        known |= {str(chunk.path), *((other_path, f"{other_path}{MOVING_SUFFIX}") if other_path else ())}
        if condemned or chunk.path in gone:
            continue
        rows.checked += 1
        problem = await asyncio.to_thread(chunk_problem, store, chunk, deep=deep)
        if problem:
            rows.problems.append(f"{chunk.path}: {problem}")
    await asyncio.to_thread(_check_recordings, store, known, clock, files)
    await _check_pictures(hub, store, clock, files)
    return [rows, files, await _events(hub)]


def chunk_problem(store: Store, chunk: Chunk, *, deep: bool) -> str:
    """Return what is wrong with a chunk's file, or ''."""
    try:
        file = store.resolve(chunk.path)
        if file.stat().st_size != chunk.size_bytes:
            return f"has {file.stat().st_size} bytes, its row says {chunk.size_bytes}"
        if not read_index(file).fragments:
            return "holds no fragment"
        return _decode(file) if deep else ""
    except FileNotFoundError:
        return "is missing"
    except (MarengoCamError, OSError) as error:
        return str(error)


def _decode(file: Path) -> str:
    try:
        with av.open(str(file)) as container:
            if not sum(len(packet.decode()) for packet in container.demux(container.streams.video[0])):
                return "has no frame"
    except av.FFmpegError as error:
        return f"does not decode: {error.strerror}"
    return ""


def _check_recordings(store: Store, known: set[str], clock: Clock, finding: Finding) -> None:
    for camera_id in store.cameras():
        folders = [root / RECORDINGS / camera_id for root in (store.root, store.archive) if root is not None]
        for file in sorted(file for folder in folders for file in folder.rglob("*")):
            if not file.is_file():
                continue
            finding.checked += 1
            path = store.relative(file)
            if str(path) in known or file.name.endswith(GROWING_SUFFIX):
                continue
            if RecordingName.from_path(path) is None:
                finding.problems.append(f"{path} is no recording of ours")
            elif _age(file, clock) > WAITING:
                finding.problems.append(f"{path} is not indexed")


async def _check_pictures(hub: Hub, store: Store, clock: Clock, finding: Finding) -> None:
    folder = store.root / PICTURES
    paths = await asyncio.to_thread(lambda: sorted(file for file in folder.rglob("*") if file.is_file()))
    for start in range(0, len(paths), PAGE):
        page = {str(store.relative(file)): file for file in paths[start : start + PAGE]}
        used = await hub.tracks.known_pictures(list(page))
        finding.checked += len(page)
        finding.problems += [
            f"{path} belongs to nothing"
            for path, file in page.items()
            if path not in used and _age(file, clock) > WAITING and not PurePosixPath(path).name.startswith(".")
        ]


async def _events(hub: Hub) -> Finding:
    finding = Finding("I3", "events are numbered without gaps up to the counter")
    expected: int | None = None
    last = await hub.events.last_number()
    number = 0
    while page := await hub.events.after(number, PAGE):
        for event in page:
            if expected is not None and event.number != expected:
                finding.problems.append(f"number {expected} is missing (then comes {event.number})")
            expected = event.number + 1
            finding.checked += 1
        number = page[-1].number
    if finding.checked and number < last:
        finding.problems.append(f"the counter says {last}, the last event is {number}")
    return finding


async def _all_chunks(hub: Hub) -> AsyncIterator[tuple[Chunk, bool, str | None]]:
    after = ""
    while page := await hub.chunks.pages(after, PAGE):
        for entry in page:
            yield entry
        after = str(page[-1][0].path)


def _age(file: Path, clock: Clock) -> timedelta:
    return timedelta(seconds=clock.now().timestamp() - file.stat().st_mtime)
