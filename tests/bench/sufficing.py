"""Which picture sufficed to tell who somebody is: the resolver decides again on all that was saved, unhurried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import av
import cv2
import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry

from marengocam.core.clock import ManualClock
from marengocam.core.identity import CameraGraph
from marengocam.core.model import Chunk, Embedding, EventType, LocalTrack
from marengocam.db.hub import Hub
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.turn import take_turn

EMPTY = "TRUNCATE local_track, identity, assignment, exemplar, event, person, lease, camera CASCADE"
LEASE_S = 3600.0
LEARN_EVERY = timedelta(minutes=1)  # as the resolver's service does
EVENTS_AT_ONCE = 1000
LOOK_BACK = timedelta(seconds=4)  # from its crop being sent to a face's row takes less, or the engine is cut off
MOST_UNLIKE = 40.0  # mean square of grey levels: a crop is another picture's


@dataclass(frozen=True, slots=True)
class Saved:
    """A state of a track that ingest saved, when it was there to be read, and the crop of its face, if that is new."""

    track: LocalTrack
    read_at: datetime
    face_jpeg: bytes | None = None


async def first_sufficing(
    hub: Hub, saved: Sequence[Saved], gallery: Mapping[str, Sequence[Embedding]], confirm_probability: float
) -> dict[UUID, Saved]:
    """Return, for each track that is named, the first state at which a resolver with nothing else to do names it.

    In an empty hub, each state in the order in which it was saved, decided on before the next one comes. It may be
    another track's: what that one shows of an unknown brings back the unknown's tracks.
    """
    async with hub.database.connection() as connection:
        await connection.execute(EMPTY)
    if not saved:
        return {}
    start = saved[0].read_at
    for name, faces in gallery.items():
        person = await hub.persons.add(name, start)
        for face in faces:
            await hub.persons.add_exemplar(person.person_id, face, start)
    fences = {}
    for camera_id in sorted({one.track.camera_id for one in saved}):
        lease = await hub.leases.acquire(f"camera:{camera_id}", "bench", LEASE_S)
        assert lease is not None
        fences[camera_id] = lease.fence
    clock, metrics = ManualClock(start), ResolverMetrics(CollectorRegistry())
    graph, learn_at = CameraGraph(), start
    found: dict[UUID, Saved] = {}
    number = 0
    for one in saved:
        clock.at = one.read_at
        await hub.tracks.save([one.track], fences)
        if clock.at >= learn_at:
            graph, learn_at = await hub.resolution.camera_graph(clock.at), clock.at + LEARN_EVERY
        while await take_turn(hub.resolution, graph, confirm_probability, clock, metrics):
            pass
        for event in await hub.events.after(number, EVENTS_AT_ONCE):
            number = event.number
            if event.type is EventType.PERSON_CONFIRMED and event.local_track_id is not None:
                found.setdefault(event.local_track_id, one)
    return found


def pictured_at(one: Saved, media_dir: Path, chunks: Sequence[Chunk]) -> datetime | None:
    """Return the date of the newest picture that a state tells something new of.

    A face is found after its picture, while others are followed on: where the state has a new one, it is that of the
    recorded frame which the crop was cut from. None: the recording does not hold it.
    """
    if one.face_jpeg is None:
        return one.track.last_seen_at
    crop = cv2.imdecode(np.frombuffer(one.face_jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    if crop is None:
        return None
    upto = min(one.read_at, one.track.last_seen_at + LOOK_BACK)
    frames = grey_frames(media_dir, chunks, one.track.last_seen_at - LOOK_BACK, upto)
    unlike, at = min(((unlikeness(frame, crop), at) for at, frame in frames), default=(float("inf"), None))
    return at if unlike <= MOST_UNLIKE else None


def unlikeness(frame: npt.NDArray[np.uint8], crop: npt.NDArray[np.uint8]) -> float:
    """Return the mean square of grey levels between a crop and where it fits a frame best."""
    if crop.shape[0] > frame.shape[0] or crop.shape[1] > frame.shape[1]:
        return float("inf")
    return float(cv2.matchTemplate(frame, crop, cv2.TM_SQDIFF).min()) / crop.size


def grey_frames(
    media_dir: Path, chunks: Sequence[Chunk], from_at: datetime, to_at: datetime
) -> list[tuple[datetime, npt.NDArray[np.uint8]]]:
    """Return date and brightness of the recorded frames of a span."""
    found = []
    for chunk in chunks:
        ended_at = chunk.started_at + timedelta(seconds=chunk.duration_s)
        if chunk.started_at > to_at or ended_at < from_at:
            continue
        with av.open(str(media_dir / chunk.path)) as container:
            for frame in container.decode(video=0):
                at = chunk.started_at + timedelta(seconds=frame.time or 0.0)
                if from_at <= at <= to_at:
                    found.append((at, np.asarray(frame.to_ndarray(format="gray"), np.uint8)))
    return found
