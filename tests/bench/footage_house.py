"""All shared footage as the cameras of one house: followed by ingest's own analysis, then resolved in order of time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import av
import cv2
import numpy as np
from prometheus_client import CollectorRegistry
from tests.bench.footage_truth import FootageTruth, Place

from marengocam.core.calibration import face_log_ratio
from marengocam.core.clock import ManualClock
from marengocam.core.geometry import Box
from marengocam.core.identity import CameraGraph
from marengocam.core.model import Camera, Embedding, EventType, LocalTrack
from marengocam.db.hub import Hub
from marengocam.replay.analysis import UnitJob, analyse_unit
from marengocam.replay.eyes import Eyes
from marengocam.replay.findings import FoundTrack
from marengocam.replay.pieces import Piece
from marengocam.replay.units import Unit
from marengocam.resolver.gallery import HUMAN_QUALITY
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.naming import agreeing
from marengocam.resolver.turn import take_turn
from marengocam.settings import Settings
from marengocam.vision.appearance import cosine

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
BETWEEN = timedelta(minutes=10)  # scenes that have nothing to do with each other
LEASE_S = 3600.0
LEARN_EVERY = timedelta(minutes=1)  # as the resolver's service does
EVENTS_AT_ONCE = 1000
EMPTY = "TRUNCATE local_track, identity, assignment, exemplar, event, person, lease, camera CASCADE"
# Filmed at the same time, with the seconds at which each begins (handoff's are guessed, as in bench identity).
TOGETHER: Mapping[str, Mapping[str, float]] = {
    "lab4": {"lab4_cam0": 0, "lab4_cam1": 0, "lab4_cam2": 0, "lab4_cam3": 0},
    "plaza_a": {"plaza_a_cam1": 0, "plaza_a_cam2": 0},
    "handoff": {"handoff_cam1_room": 0, "handoff_cam2_hallway": 6},
}
# Everybody whose portrait is shared; of pictures of several people none is taken.
PORTRAITS: Mapping[str, tuple[str, ...]] = {
    "F1": ("clip_woman_grey_top_1.png", "clip_woman_grey_top_2.png", "clip_woman_grey_top_3.png"),
    "M1": ("clip_man_blue_tshirt_1.png", "clip_man_blue_tshirt_2.png"),
    "F2": ("clip_woman_blonde_glasses_1.png",),
    "M2": ("clip_man_bald_glasses_1.png",),
    "Obama": ("obama.jpg", "obama1.jpg", "obama2.jpg", "obama3.jpg", "obama-240p.jpg", "obama_partial_face.jpg"),
    "Biden": ("biden.jpg", "biden2.jpg"),
    "Miranda": ("lin-manuel-miranda.png",),
    "Lacamoire": ("alex-lacamoire.png",),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """One clip as its camera's ingest saved it."""

    clip: str
    started_at: datetime
    seconds: float
    tracks: Sequence[FoundTrack]
    truth: FootageTruth

    def places(self, track: FoundTrack, upto: datetime) -> list[Place]:
        """Return where a track was, up to a moment."""
        return [
            Place((point.at - self.started_at).total_seconds(), Box(*point.box))
            for point in track.path
            if point.at <= upto or point is track.path[0]
        ]


@dataclass(frozen=True, slots=True)
class Said:
    """A name that was said of a track: by an event, or by how its row stands in the end."""

    scene: Scene
    track: FoundTrack
    name: str
    at: datetime
    by_event: bool
    probability: float
    evidence: Mapping[str, object]


def scenes_of(footage: Path) -> list[list[str]]:
    """Return the clips of a folder, those filmed at the same time together."""
    names = sorted(file.stem for file in footage.glob("*.mp4"))
    group = {name: key for key, some in TOGETHER.items() for name in some}
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(group.get(name, name), []).append(name)
    return list(found.values())


def follow_all(footage: Path, settings: Settings, eyes: Eyes, clips: Collection[str] = ()) -> list[list[Scene]]:
    """Follow everybody on all clips, or on those named; whoever is filmed at the same time is so in the house, too."""
    found, at = [], START
    for together in scenes_of(footage):
        begins = next((starts for starts in TOGETHER.values() if together[0] in starts), {})
        scenes = [
            follow(footage / f"{clip}.mp4", at + timedelta(seconds=begins.get(clip, 0)), settings, eyes)
            for clip in together
            if not clips or clip in clips
        ]
        if scenes:
            found.append(scenes)
            at = max(one.started_at + timedelta(seconds=one.seconds) for one in scenes) + BETWEEN
    return found


def follow(file: Path, started_at: datetime, settings: Settings, eyes: Eyes) -> Scene:
    """Return what ingest saves of one clip, as a camera that films it from `started_at` on."""
    with av.open(str(file)) as container:
        seconds = float(container.duration or 0) / av.time_base
        fps = float(container.streams.video[0].average_rate or 1)
    camera = Camera(file.stem, file.stem, "file:///dev/null")
    piece = Piece(file, started_at, seconds, dated=True)
    unit = Unit(0, started_at, piece.ended_at + timedelta(seconds=1))
    found = analyse_unit(UnitJob(camera, [piece], unit, settings, {}), eyes)
    return Scene(file.stem, started_at, seconds, found.tracks, FootageTruth.of(file.stem, fps))


def strangers_of(scenes: Sequence[Scene]) -> dict[str, list[Embedding]]:
    """Return the face of each track of people who are not enrolled, as naming them would keep it; seen by a camera.

    Such faces are likelier to be taken for others than portraits are: as small and blurred, of the same light.
    """
    found = {}
    for scene in scenes:
        for number, track in enumerate(scene.tracks):
            face = track.local_track(scene.clip, track.last).face
            met = scene.truth.met(scene.places(track, track.last.last_seen_at))
            if face is not None and face.quality >= HUMAN_QUALITY and not met - {None}:
                found[f"{scene.clip} {number}"] = [face]
    return found


async def live_through(
    hub: Hub, scenes: Sequence[Scene], gallery: Mapping[str, Sequence[Embedding]], confirm_probability: float
) -> list[Said]:
    """Have the resolver decide on all that was saved, as it came, in an empty hub; return every name that it said."""
    async with hub.database.connection() as connection:
        await connection.execute(EMPTY)
    for name, faces in gallery.items():
        person = await hub.persons.add(name, START)
        for face in faces:
            await hub.persons.add_exemplar(person.person_id, face, START)
    fences = {}
    for scene in scenes:
        lease = await hub.leases.acquire(f"camera:{scene.clip}", "bench", LEASE_S)
        assert lease is not None
        fences[scene.clip] = lease.fence
    clock, metrics = ManualClock(START), ResolverMetrics(CollectorRegistry())
    graph, learn_at = CameraGraph(), START
    for at, together in groupby(revisions_of(scenes), key=lambda one: one[0]):
        clock.at = at
        await hub.tracks.save([track for _, track in together], fences)
        if at >= learn_at:
            graph, learn_at = await hub.resolution.camera_graph(at), at + LEARN_EVERY
        while await take_turn(hub.resolution, graph, confirm_probability, clock, metrics):
            pass
    return await names_said(hub, scenes)


def revisions_of(scenes: Sequence[Scene]) -> list[tuple[datetime, LocalTrack]]:
    """Return all that ingest would have written, in order of time."""
    revisions = [
        (revision.at, track.local_track(scene.clip, revision))
        for scene in scenes
        for track in scene.tracks
        for revision in track.revisions
    ]
    return sorted(revisions, key=lambda one: (one[0], one[1].camera_id, one[1].local_track_id))


async def names_said(hub: Hub, scenes: Sequence[Scene]) -> list[Said]:
    """Return each name that an event told, and each that a row has in the end without having been told so."""
    tracks = {track.track_id: (scene, track) for scene in scenes for track in scene.tracks}
    said: list[Said] = []
    number = 0
    while page := await hub.events.after(number, EVENTS_AT_ONCE):
        number = page[-1].number
        for event in page:
            if event.type not in {EventType.PERSON_CONFIRMED, EventType.PERSON_CORRECTED}:
                continue
            assert event.local_track_id is not None
            scene, track = tracks[event.local_track_id]
            evidence = event.data.get("evidence", {})
            name, probability = str(event.person_name), event.probability or 0.0
            said.append(Said(scene, track, name, event.occurred_at, True, probability, evidence))
    told = {(one.track.track_id, one.name) for one in said}
    for track_id, (scene, track) in tracks.items():
        row = await hub.tracks.get(track_id)
        if row.person_name is not None and (track_id, row.person_name) not in told:
            at, probability = track.last.last_seen_at, row.probability or 0.0
            said.append(Said(scene, track, row.person_name, at, False, probability, {}))
    return said


def nearest_other(scenes: Sequence[Scene], gallery: Mapping[str, Sequence[Embedding]]) -> dict[str, object]:
    """Return how near the best face of anybody's track comes to somebody else: what is left until a false name."""
    found: list[tuple[float, dict[str, object]]] = []
    for scene in scenes:
        for track in scene.tracks:
            face = track.local_track(scene.clip, track.last).face
            met = scene.truth.met(scene.places(track, track.last.last_seen_at))
            if face is None or None in met:
                continue
            for name, faces in gallery.items():
                if name in met:
                    continue
                cosines = sorted((cosine(face.vector, one.vector) for one in faces), reverse=True)
                mean = sum(cosines[: agreeing(len(faces))]) / agreeing(len(faces))
                ratio = face_log_ratio(face.model, mean, face.quality, max(one.quality for one in faces))
                told = {"clip": scene.clip, "name": name, "cosine": round(mean, 3), "quality": round(face.quality, 2)}
                found.append((ratio, {"log_ratio": round(ratio, 2), **told}))
    return max(found, key=lambda one: one[0])[1] if found else {}


def portraits(faces: Path, eyes: Eyes) -> dict[str, list[Embedding]]:
    """Return the faces of everybody whose portraits are there, as enrolling them keeps them: each picture's largest."""
    assert eyes.faces is not None
    gallery = {}
    for name, files in PORTRAITS.items():
        found = []
        for file in files:
            picture = cv2.cvtColor(cv2.imread(str(faces / file)), cv2.COLOR_BGR2RGB)
            seen = eyes.faces.faces(np.asarray(picture, np.uint8))
            if seen and seen[0].embedding is not None:
                found.append(seen[0].embedding)
        gallery[name] = found
    return gallery
