"""Identity on footage with truth: HOTA, IDF1, names right and wrong, calibration, and all that without each cue."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import combinations, groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import cv2
import numpy as np
from prometheus_client import CollectorRegistry
from tests.bench.identity_clips import NOT_A_PERSON, START, TRUTH_IOU, Clip, Eyes, follow_clip
from tests.bench.identity_figures import Decided, calibration, mixed_and_torn, names
from tests.bench.tracking_metrics import Frame, hota, idf1

from marengocam.core.clock import ManualClock
from marengocam.core.identity import CameraGraph
from marengocam.core.model import EventType, LocalTrack
from marengocam.db.embedded import EmbeddedServer
from marengocam.db.hub import Hub, open_hub
from marengocam.db.migrate import migrate_database
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.turn import take_turn
from marengocam.settings import Settings
from marengocam.vision.appearance import load_appearance_encoder
from marengocam.vision.detectors.choice import load_detector
from marengocam.vision.faces import load_face_analyser
from marengocam.vision.models import Models

LEASE_S = 3600.0
LEARN_EVERY = timedelta(seconds=5)
EMPTY = "TRUNCATE local_track, identity, assignment, exemplar, event, person, lease, camera CASCADE"
# Clips by set, with the seconds at which each begins. How far the handoff clips are apart is unknown: six are guessed.
SETS: Mapping[str, Mapping[str, float]] = {
    "plaza_a": {"plaza_a_cam1": 0, "plaza_a_cam2": 0},
    "lab4": {"lab4_cam0": 0, "lab4_cam1": 0, "lab4_cam2": 0, "lab4_cam3": 0},
    "people_detection": {"people_detection": 0},
    "handoff": {"handoff_cam1_room": 0, "handoff_cam2_hallway": 6},
    "faces": {
        "intel_head_pose_face_detection_female": 0,
        "intel_head_pose_face_detection_male": 60,
        "intel_face_demographics_walking_and_pause": 120,
    },
}
# Nobody is enrolled from the clip in which he is to be found: F1 and M1 come from the head pose clips.
ENROLLED = {
    "F1": ("clip_woman_grey_top_1.png", "clip_woman_grey_top_2.png", "clip_woman_grey_top_3.png"),
    "M1": ("clip_man_blue_tshirt_1.png", "clip_man_blue_tshirt_2.png"),
    "Obama": ("obama.jpg", "obama2.jpg"),
    "Biden": ("biden.jpg", "biden2.jpg"),
    "Miranda": ("lin-manuel-miranda.png",),
    "Lacamoire": ("alex-lacamoire.png",),
}
Leave = Callable[[LocalTrack], LocalTrack]


def nowhere(track: LocalTrack) -> LocalTrack:
    """Return a track without its path: nothing can be said to go on where it left off."""
    return replace(track, path=())


# What each variant leaves of a track, and whether ways may be learned.
VARIANTS: Mapping[str, tuple[Leave, bool]] = {
    "all cues": (lambda track: track, True),
    "no faces": (lambda track: replace(track, face=None), True),
    "no appearance": (lambda track: replace(track, appearance=None), True),
    "no place and time": (nowhere, False),
    "face engine away": (lambda track: replace(track, face=None, face_engine_ok=False), True),
    "faces only": (lambda track: nowhere(replace(track, appearance=None)), False),
    "appearance only": (lambda track: nowhere(replace(track, face=None)), False),
}


@dataclass(slots=True)
class Resolved:
    """What the resolver made of one variant."""

    individual: dict[UUID, str] = field(default_factory=dict)  # of each track: the person's name, or the identity
    name: dict[UUID, str | None] = field(default_factory=dict)
    probability: dict[UUID, float] = field(default_factory=dict)
    named_after_s: list[float] = field(default_factory=list)
    announced: list[tuple[UUID, str]] = field(default_factory=list)
    decision_s: list[float] = field(default_factory=list)


def main() -> int:
    """Run the chosen sets and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=list(SETS), help=f"any of {', '.join(SETS)}")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    arguments = parser.parse_args()
    folders = {name: shared_folder(name) for name in ("footage", "models", "faces")}
    missing = sorted(name for name, folder in folders.items() if folder is None)
    if missing:
        print(f"Missing: {', '.join(missing)}. Set MARENGOCAM_FOOTAGE, MARENGOCAM_MODELS and MARENGOCAM_FACES.")
        return 1
    report = evaluate(arguments.sets, {name: folder for name, folder in folders.items() if folder is not None})
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def shared_folder(name: str) -> Path | None:
    """Return the folder of footage, models or faces: its environment variable, or ../shared beside the checkout."""
    told = os.environ.get(f"MARENGOCAM_{name.upper()}")
    folder = Path(told) if told else Path(__file__).resolve().parents[3] / "shared" / name
    return folder if folder.is_dir() else None


def evaluate(sets: list[str], folders: Mapping[str, Path]) -> dict[str, Any]:
    """Follow everybody on the clips, resolve in time order, compare with the truth; for each set, and all together."""
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="mc-identity-") as folder:
        data = Path(folder)
        data.chmod(0o755)  # the embedded server's own account has to get in when this runs as root
        settings = Settings(data_dir=data, media_dir=data, models_dir=folders["models"], download_models=False)
        eyes = load_eyes(settings)
        clips = {
            name: [follow_clip(clip, start_s, folders["footage"], eyes) for clip, start_s in SETS[name].items()]
            for name in sets
        }
        server = EmbeddedServer(data, durable=False, die_with_parent=True)
        try:
            settings = replace(settings, database_url=server.start())
            for what, (leave, learns) in VARIANTS.items():
                resolved = {
                    name: asyncio.run(resolve_all(settings, clips[name], leave, eyes, folders["faces"], learns=learns))
                    for name in sets
                }
                report[what] = {name: compare(clips[name], resolved[name]) for name in sets}
                report[what]["all"] = together(clips, resolved)
                tell(what, report[what])
        finally:
            server.stop()
    return report


def load_eyes(settings: Settings) -> Eyes:
    models = Models(settings)
    analyser = load_face_analyser(settings, models)
    assert analyser is not None
    return Eyes(load_appearance_encoder(settings, models), analyser, load_detector(settings, models))


def tell(what: str, figures: Mapping[str, Any]) -> None:
    for name, values in figures.items():
        shown = ", ".join(f"{key} {value}" for key, value in values.items() if key != "reliability")
        print(f"{what} | {name}: {shown}", flush=True)


async def resolve_all(
    settings: Settings, clips: list[Clip], leave: Leave, eyes: Eyes, faces: Path, *, learns: bool
) -> Resolved:
    """Write every revision in time order into an empty hub and let the resolver decide after each."""
    await migrate_database(settings.database_url)
    async with open_hub(settings, application="evaluation") as hub:
        async with hub.database.connection() as connection:
            await connection.execute(EMPTY)
        await enrol(hub, eyes, faces)
        resolved = await replay(hub, clips, leave, settings.confirm_probability, learns=learns)
        await read(hub, clips, resolved)
        return resolved


async def enrol(hub: Hub, eyes: Eyes, faces: Path) -> None:
    for name, files in ENROLLED.items():
        person = await hub.persons.add(name, START)
        for file in files:
            picture = cv2.cvtColor(cv2.imread(str(faces / file)), cv2.COLOR_BGR2RGB)
            seen = eyes.faces.faces(np.asarray(picture, np.uint8))
            if seen and seen[0].embedding is not None:
                await hub.persons.add_exemplar(person.person_id, seen[0].embedding, START)


async def replay(hub: Hub, clips: list[Clip], leave: Leave, confirm_probability: float, *, learns: bool) -> Resolved:
    fences = {}
    for clip in clips:
        lease = await hub.leases.acquire(f"camera:{clip.name}", "evaluation", LEASE_S)
        assert lease is not None
        fences[clip.name] = lease.fence
    clock, metrics, resolved = ManualClock(START), ResolverMetrics(CollectorRegistry()), Resolved()
    graph, learn_at = CameraGraph(), START
    revisions = [leave(one) for clip in clips for follow in clip.follows for one in follow.snapshots]
    for at, together in groupby(sorted(revisions, key=seen_last_at), key=seen_last_at):
        clock.at = at
        # What comes at one moment the resolver puts in order itself. Of a track its last state stands.
        await hub.tracks.save(list({one.local_track_id: one for one in together}.values()), fences)
        if learns and at >= learn_at:
            graph, learn_at = await hub.resolution.camera_graph(clock.now()), clock.now() + LEARN_EVERY
        started_s = time.perf_counter()
        decided = 0
        while count := await take_turn(hub.resolution, graph, confirm_probability, clock, metrics):
            decided += count
        resolved.decision_s.append((time.perf_counter() - started_s) / max(1, decided))
    return resolved


def seen_last_at(track: LocalTrack) -> datetime:
    return track.last_seen_at


async def read(hub: Hub, clips: list[Clip], resolved: Resolved) -> None:
    """Read what was decided in the end, and what was announced on the way."""
    first_seen = {}
    for follow in (one for clip in clips for one in clip.follows):
        track_id = follow.track.local_track_id
        row = await hub.tracks.get(track_id)
        assert row.identity_id is not None
        resolved.individual[track_id] = row.person_name or str(row.identity_id)
        resolved.name[track_id], resolved.probability[track_id] = row.person_name, row.probability or 0.0
        first_seen[track_id] = follow.track.first_seen_at
    for event in await hub.events.after(0, 10_000):
        if event.type is EventType.PERSON_CONFIRMED and event.local_track_id is not None:
            resolved.announced.append((event.local_track_id, str(event.person_name)))
            resolved.named_after_s.append((event.occurred_at - first_seen[event.local_track_id]).total_seconds())


def compare(clips: list[Clip], resolved: Resolved) -> dict[str, Any]:
    """Return all figures of one set."""
    labelled = [(clip.name, one.label, one) for clip in clips for one in clip.follows if one.label is not None]
    told = [(camera, label, resolved.individual[one.track.local_track_id]) for camera, label, one in labelled]
    across = [(a, b) for a, b in combinations(told, 2) if a[0] != b[0]]
    within = [(a, b) for a, b in combinations(told, 2) if a[0] == b[0]]
    return {
        **measured([frame for clip in clips for frame in frames_of(clip, resolved)]),
        **about(clips, resolved),
        **{f"across_{key}": value for key, value in precision_recall(across).items()},
        **{f"within_{key}": value for key, value in precision_recall(within).items()},
        "people": len({label for _, label, _ in told if label != NOT_A_PERSON}),
        "individuals": len({who for _, label, who in told if label != NOT_A_PERSON}),
    }


def together(clips: Mapping[str, list[Clip]], resolved: Mapping[str, Resolved]) -> dict[str, Any]:
    """Return the figures of all sets as if they were one."""
    every = Resolved()
    for one in resolved.values():
        every.individual |= one.individual
        every.name |= one.name
        every.probability |= one.probability
        every.named_after_s += one.named_after_s
        every.announced += one.announced
        every.decision_s += one.decision_s
    flat = [clip for some in clips.values() for clip in some]
    frames = [frame for name, some in clips.items() for clip in some for frame in frames_of(clip, resolved[name])]
    return measured(frames) | about(flat, every)


def measured(frames: list[Frame]) -> dict[str, Any]:
    return {"idf1": idf1(frames), **hota(frames)}


def frames_of(clip: Clip, resolved: Resolved) -> list[Frame]:
    """Return the pictures with truth. Who is not in the truth is left out: it does not hold everybody."""
    found = []
    for number, people in sorted(clip.truth.items()):
        true = [(label, box) for label, box in people if label != NOT_A_PERSON]
        seen = [
            (resolved.individual[one.track.local_track_id], box)
            for one in clip.follows
            for near in (number, number - 1, number + 1)
            if (box := one.boxes.get(near)) is not None
        ]
        told = {who: box for who, box in seen if any(box.iou(other) >= TRUTH_IOU for _, other in true)}
        if not true or not any(near in one.boxes for one in clip.follows for near in (number, number - 1, number + 1)):
            continue  # a picture that was not looked at
        overlaps = np.array([[box.iou(other) for other in told.values()] for _, box in true]).reshape(len(true), -1)
        found.append(Frame([label for label, _ in true], list(told), overlaps))
    return found


def about(clips: list[Clip], resolved: Resolved) -> dict[str, Any]:
    """Return names right and wrong, calibration, merges and splits, and how long everything took."""
    decided = [
        Decided(
            one.label,
            UUID(int=0) if resolved.name[track_id] else UUID(resolved.individual[track_id]),
            resolved.name[track_id],
            resolved.probability[track_id],
            (one.track.last_seen_at - one.track.first_seen_at).total_seconds(),
        )
        for clip in clips
        for one in clip.follows
        if (track_id := one.track.local_track_id) and one.label not in {None, NOT_A_PERSON}
    ]
    labels = {one.track.local_track_id: one.label for clip in clips for one in clip.follows}
    wrong = sum(1 for track_id, name in resolved.announced if labels.get(track_id) != name)
    hours = sum(clip.seconds for clip in clips) / 3600
    spent = sorted(resolved.decision_s)
    return {
        "tracks": len(decided),
        **names(decided, set(ENROLLED)),
        "announced": len(resolved.announced),
        "announced_wrongly": wrong,
        "false_names_per_camera_hour": round(wrong / hours, 2),
        **mixed_and_torn(decided),
        **calibration(decided),
        "first_sight_to_name_median_s": round(float(np.median(resolved.named_after_s)), 2)
        if resolved.named_after_s
        else None,
        "decision_ms_p50": round(1000 * spent[len(spent) // 2], 1),
        "decision_ms_p99": round(1000 * spent[int(0.99 * len(spent))], 1),
    }


def precision_recall(pairs: list[tuple[tuple[str, str, object], tuple[str, str, object]]]) -> dict[str, object]:
    said = [a[1] == b[1] != NOT_A_PERSON for a, b in pairs if a[2] == b[2] and not a[1] == b[1] == NOT_A_PERSON]
    true = [a[2] == b[2] for a, b in pairs if a[1] == b[1] != NOT_A_PERSON]
    return {
        "precision": round(sum(said) / len(said), 3) if said else None,
        "recall": round(sum(true) / len(true), 3) if true else None,
        "pairs": len(true),
    }


if __name__ == "__main__":
    sys.exit(main())
