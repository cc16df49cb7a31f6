"""Identity across cameras on footage with truth: pairwise precision and recall, with and without appearance."""

import argparse
import asyncio
import csv
import gzip
import json
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import av
import numpy as np
from prometheus_client import CollectorRegistry

from marengocam.core.clock import ManualClock
from marengocam.core.geometry import Box
from marengocam.core.identity import CameraGraph
from marengocam.core.ids import new_id
from marengocam.core.model import Detection, Embedding, LocalTrack, PathPoint
from marengocam.db.embedded import EmbeddedServer
from marengocam.db.hub import Hub, open_hub
from marengocam.db.migrate import migrate_database
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.turn import take_turn
from marengocam.settings import Settings
from marengocam.vision.appearance import AppearanceEncoder, fuse, load_appearance_encoder
from marengocam.vision.crops import cut
from marengocam.vision.models import Models
from marengocam.vision.tracker import Tracker

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
ANALYSIS_FPS = 5.0
MIN_SCORE = 0.4
CROP_EVERY_S = 0.6
BEST_CROPS = 6
SAVE_EVERY_S = 1.0
PATH_EVERY_S = 0.4
TRUTH_IOU = 0.5
TRUTH_SHARE = 0.6  # of a track's labelled boxes must be one person's
NOT_A_PERSON = "not_a_person"
LEASE_S = 3600.0
LEARN_EVERY = timedelta(seconds=5)
SETS = {
    "plaza_a": ("plaza_a_cam1", "plaza_a_cam2"),
    "lab4": ("lab4_cam0", "lab4_cam1", "lab4_cam2", "lab4_cam3"),
    "people_detection": ("people_detection",),
}
VARIANTS = {
    "all cues": lambda track: track,
    "no appearance": lambda track: replace(track, appearance=None),
}


@dataclass(slots=True)
class Follow:
    """One object while its clip is read: what ingest would have saved, second by second."""

    track: LocalTrack
    labels: Counter[str] = field(default_factory=Counter)
    crops: list[Embedding] = field(default_factory=list)
    cropped_at: datetime = START
    snapshots: list[LocalTrack] = field(default_factory=list)


def main() -> int:
    """Run the chosen sets and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=list(SETS), help=f"any of {', '.join(SETS)}")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    arguments = parser.parse_args()
    footage, models = shared_folder("footage"), shared_folder("models")
    if footage is None or models is None:
        print("Footage or models are missing: set MARENGOCAM_FOOTAGE and MARENGOCAM_MODELS to their folders.")
        return 1
    report = {name: evaluate(name, footage, models) for name in arguments.sets}
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def shared_folder(name: str) -> Path | None:
    """Return the folder of footage or models: its environment variable, or ../shared beside the checkout."""
    told = os.environ.get(f"MARENGOCAM_{name.upper()}")
    folder = Path(told) if told else Path(__file__).resolve().parents[3] / "shared" / name
    return folder if folder.is_dir() else None


def evaluate(name: str, footage: Path, models: Path) -> dict[str, object]:
    """Follow everybody on the clips of one set, resolve in time order, compare with the truth."""
    with tempfile.TemporaryDirectory(prefix="mc-identity-") as folder:
        data = Path(folder)
        data.chmod(0o755)  # the embedded server's own account has to get in when this runs as root
        settings = Settings(data_dir=data, media_dir=data, models_dir=models, download_models=False)
        encoder = load_appearance_encoder(settings, Models(settings))
        follows = [one for clip in SETS[name] for one in follow_clip(clip, footage, encoder)]
        revisions = sum(len(one.snapshots) for one in follows)
        print(f"{name}: {len(follows)} tracks, {revisions} revisions, {encoder.model}", flush=True)
        server = EmbeddedServer(data, durable=False, die_with_parent=True)
        report: dict[str, object] = {"appearance_model": encoder.model}
        try:
            address = server.start()
            settings = replace(settings, database_url=address)
            for what, leave_out in VARIANTS.items():
                changed = [[leave_out(snapshot) for snapshot in one.snapshots] for one in follows]
                resolved = asyncio.run(resolve_all(settings, changed, SETS[name]))
                report[what] = figures = compare(follows, resolved)
                print(f"  {what}: " + ", ".join(f"{key} {value}" for key, value in figures.items()), flush=True)
        finally:
            server.stop()
    return report


def follow_clip(clip: str, footage: Path, encoder: AppearanceEncoder) -> list[Follow]:
    """Return every track of a clip with the revisions that ingest would have written."""
    with gzip.open(footage / "detections" / f"{clip}.json.gz", "rt") as file:
        known = json.load(file)
    width, height = known["width"], known["height"]
    truth = read_truth(clip, footage, width, height)
    tracker = Tracker()
    follows: dict[int, Follow] = {}
    for number, picture in frames(footage / f"{clip}.mp4", round(known["fps"] / ANALYSIS_FPS)):
        at = START + timedelta(seconds=number / known["fps"])
        found = [
            Detection("person", score, Box(x1 / width, y1 / height, x2 / width, y2 / height))
            for kind, score, x1, y1, x2, y2 in known["detections"].get(str(number), [])
            if kind == 0 and score >= MIN_SCORE
        ]
        for one in tracker.update(found, at):
            if not one.confirmed or one.lost:
                continue
            follow = follows.setdefault(one.track_id, Follow(opened(clip, at, one.box, one.score)))
            advance(follow, at, one.box, one.score)
            label = truth_label(truth, number, one.box)
            if label:
                follow.labels[label] += 1
            if not follow.crops or (at - follow.cropped_at).total_seconds() >= CROP_EVERY_S:
                follow.crops += encoder.encode([cut(picture, one.box, margin=0)])
                follow.cropped_at = at
            save(follow, at)
    return [closed(follow) for follow in follows.values()]


def frames(path: Path, step: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield every `step`-th picture with its number, odd ones where the truth labels those."""
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % step == 1 % step:
                yield number, frame.to_ndarray(format="rgb24")


def opened(clip: str, at: datetime, box: Box, score: float) -> LocalTrack:
    return LocalTrack(
        new_id(at), clip, "person", at, at, open=True, score=score, observations=0, path=(PathPoint(at, box, score),)
    )


def advance(follow: Follow, at: datetime, box: Box, score: float) -> None:
    track = follow.track
    thinned = (
        track.path[:-1]
        if len(track.path) > 1 and (at - track.path[-2].at).total_seconds() < PATH_EVERY_S
        else track.path
    )
    follow.track = replace(
        track,
        last_seen_at=at,
        score=max(track.score, score),
        observations=track.observations + 1,
        path=(*thinned, PathPoint(at, box, score)),
    )


def save(follow: Follow, at: datetime) -> None:
    last = follow.snapshots[-1] if follow.snapshots else None
    if last is None or (at - last.last_seen_at).total_seconds() >= SAVE_EVERY_S:
        follow.snapshots.append(replace(follow.track, appearance=look(follow.crops)))


def closed(follow: Follow) -> Follow:
    follow.snapshots.append(replace(follow.track, open=False, appearance=look(follow.crops)))
    return follow


def look(crops: list[Embedding]) -> Embedding:
    """Return the fused look of the best crops so far."""
    return fuse(sorted(crops, key=lambda one: -one.quality)[:BEST_CROPS])


def read_truth(clip: str, footage: Path, width: int, height: int) -> dict[int, list[tuple[str, Box]]]:
    truth: dict[int, list[tuple[str, Box]]] = defaultdict(list)
    for name in sorted((footage / "truth").glob("*_identities.csv")):
        with name.open() as file:
            for row in csv.DictReader(file):
                if row["clip"] == clip:
                    box = Box(
                        float(row["x1"]) / width,
                        float(row["y1"]) / height,
                        float(row["x2"]) / width,
                        float(row["y2"]) / height,
                    )
                    truth[int(row["frame"])].append((row["person"], box))
    return truth


def truth_label(truth: dict[int, list[tuple[str, Box]]], number: int, box: Box) -> str | None:
    near = [
        (box.iou(known), label) for frame in (number - 1, number, number + 1) for label, known in truth.get(frame, [])
    ]
    overlap, label = max(near, default=(0.0, ""))
    return label if overlap >= TRUTH_IOU else None


async def resolve_all(
    settings: Settings, changed: list[list[LocalTrack]], cameras: tuple[str, ...]
) -> dict[str, object]:
    """Write every revision in time order into an empty hub and let the resolver decide after each."""
    await migrate_database(settings.database_url)
    async with open_hub(settings, application="evaluation") as hub:
        async with hub.database.connection() as connection:
            await connection.execute("TRUNCATE local_track, identity, assignment, exemplar, event, lease CASCADE")
        return await replay(hub, changed, cameras, settings.confirm_probability)


async def replay(
    hub: Hub, changed: list[list[LocalTrack]], cameras: tuple[str, ...], confirm_probability: float
) -> dict[str, object]:
    fences = {}
    for camera in cameras:
        lease = await hub.leases.acquire(f"camera:{camera}", "evaluation", LEASE_S)
        fences[camera] = lease.fence
    clock, metrics = ManualClock(START), ResolverMetrics(CollectorRegistry())
    graph, learn_at, seconds = CameraGraph(), START, []
    ordered = sorted(
        (one for track in changed for one in track), key=lambda one: (one.last_seen_at, one.local_track_id)
    )
    for track in ordered:
        clock.at = track.last_seen_at
        await hub.tracks.save([track], fences)
        if track.last_seen_at >= learn_at:
            graph, learn_at = await hub.resolution.camera_graph(clock.now()), clock.now() + LEARN_EVERY
        started_s = time.perf_counter()
        decided = 0
        while count := await take_turn(hub.resolution, graph, confirm_probability, clock, metrics):
            decided += count
        seconds.append((time.perf_counter() - started_s) / max(1, decided))
    seconds.sort()
    identity = {}
    for track in {one.local_track_id for one in ordered}:
        identity[track] = (await hub.tracks.get(track)).identity_id
    return {
        "identity": identity,
        "decision_ms_mean": round(1000 * sum(seconds) / len(seconds), 2),
        "decision_ms_p99": round(1000 * seconds[int(0.99 * len(seconds))], 2),
    }


def compare(follows: list[Follow], resolved: dict[str, object]) -> dict[str, object]:
    """Return pairwise precision and recall, identities found and wanted."""
    identity = resolved["identity"]
    labelled = []
    for one in follows:
        label, count = one.labels.most_common(1)[0] if one.labels else (None, 0)
        if label and count >= TRUTH_SHARE * one.labels.total():
            labelled.append((one.track.camera_id, label, identity[one.track.local_track_id]))
    across = [(a, b) for a, b in combinations(labelled, 2) if a[0] != b[0]]
    within = [(a, b) for a, b in combinations(labelled, 2) if a[0] == b[0]]
    people = {label for _, label, _ in labelled if label != NOT_A_PERSON}
    found = {identity for _, label, identity in labelled if label != NOT_A_PERSON}
    return {
        "labelled_tracks": len(labelled),
        **{f"across_{key}": value for key, value in precision_recall(across).items()},
        **{f"within_{key}": value for key, value in precision_recall(within).items()},
        "people": len(people),
        "identities_of_them": len(found),
        "decision_ms_mean": resolved["decision_ms_mean"],
        "decision_ms_p99": resolved["decision_ms_p99"],
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
