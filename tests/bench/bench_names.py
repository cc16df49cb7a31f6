"""Names said on all shared footage, which hardly shows anybody enrolled: right, wrong, false ones an hour."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.bench.footage_house import (
    Said,
    Scene,
    follow_all,
    live_through,
    nearest_other,
    portraits,
    strangers_of,
)
from tests.bench.footage_truth import Worth
from tests.bench.measuring import arguments_of, at_least, at_most, shared_folder, tell
from tests.bench.peers import hub_settings

from marengocam.core.model import Embedding
from marengocam.db.hub import open_hub
from marengocam.replay.eyes import load_eyes

# Whose portraits are cut from a clip: naming them in it shows nothing.
CUT_FROM = {"intel_face_demographics_walking_and_pause": {"M2", "F2"}}
WORST_TOLD = 20  # wrong names that are told with their evidence
EVERYBODY = "everybody enrolled"


def main() -> int:
    parser = arguments_of(__doc__)
    parser.add_argument("--clips", nargs="*", default=[], help="only these, without .mp4")
    arguments = parser.parse_args()
    folders = {name: shared_folder(name) for name in ("footage", "models", "faces")}
    missing = sorted(name for name, folder in folders.items() if folder is None)
    figures: dict[str, Any] = {"missing": missing}
    if not missing:
        figures = asyncio.run(measure({name: one for name, one in folders.items() if one}, arguments.clips))
    ways = [one for one in figures.values() if isinstance(one, dict) and "wrong" in one]
    right, wrong = (sum(one[what] for one in ways) for what in ("right", "wrong"))
    targets = [
        at_least("issue", "precision of names", round(right / (right + wrong), 4) if right + wrong else None, 0.99),
        at_most("issue", "false names", wrong if ways else None, 0),
    ]
    notes = [f"Not here: {', '.join(missing)}; nothing was measured."] if missing else []
    tell("names", arguments.json, figures, targets, notes)
    return 0


async def measure(folders: Mapping[str, Path], clips: Sequence[str]) -> dict[str, Any]:
    """Follow everybody once; decide for each gallery anew: everybody, strangers too, and each person alone."""
    async with hub_settings(models_dir=folders["models"]) as settings, open_hub(settings, "bench", 2) as hub:
        eyes = load_eyes(replace(settings, face_url=""), {})
        began_s = time.monotonic()
        groups = follow_all(folders["footage"], settings, eyes, clips)
        gallery = portraits(folders["faces"], eyes)
        house = [scene for group in groups for scene in group]
        figures: dict[str, Any] = {
            "clips": len(house),
            "camera_hours": round(hours(house), 3),
            "tracks": sum(len(scene.tracks) for scene in house),
            "tracks_with_a_face": sum(track.last.face is not None for scene in house for track in scene.tracks),
            "nearest_to_somebody_else": nearest_other(house, gallery),
            "followed_in_s": round(time.monotonic() - began_s, 1),
        }
        confirm = settings.confirm_probability
        alone = [one for group in groups for one in await live_through(hub, group, gallery, confirm)]
        figures[f"each clip alone, {EVERYBODY}"] = worth(alone, house, gallery)
        among, enrolled = [], 0
        for group in groups:
            others = strangers_of([scene for scene in house if scene not in group])
            enrolled = max(enrolled, len(others))
            among += await live_through(hub, group, gallery | others, confirm)
        figures["strangers_enrolled_at_most"] = enrolled
        figures["each clip alone, strangers of the others enrolled as well"] = worth(among, house, gallery)
        figures[f"one house, {EVERYBODY}"] = worth(await live_through(hub, house, gallery, confirm), house, gallery)
        for name, faces in gallery.items():
            only = {name: faces}
            figures[f"one house, only {name} enrolled"] = worth(
                await live_through(hub, house, only, confirm), house, only
            )
    return figures


def hours(scenes: Sequence[Scene]) -> float:
    return sum(scene.seconds for scene in scenes) / 3600


def worth(said: Sequence[Said], scenes: Sequence[Scene], gallery: Mapping[str, Sequence[Embedding]]) -> dict[str, Any]:
    """Return how many names are right and wrong, and how many tracks of the enrolled got theirs."""
    counts = Counter(worth_of(one) for one in said)
    right, wrong = counts[Worth.RIGHT], counts[Worth.WRONG]
    named = {one.track.track_id for one in said if worth_of(one) is Worth.RIGHT}
    nameable = {
        track.track_id
        for scene in scenes
        for track in scene.tracks
        if (who := scene.truth.whose(scene.places(track, track.last.last_seen_at))) in gallery
        and who not in CUT_FROM.get(scene.clip, ())
    }
    faced = {track.track_id for scene in scenes for track in scene.tracks if track.last.face is not None}
    return {
        "right": right,
        "wrong": wrong,
        "of_them_in_events": sum(one.by_event for one in said if worth_of(one) is Worth.WRONG),
        "untold": counts[Worth.UNTOLD],
        "precision": round(right / (right + wrong), 4) if right + wrong else None,
        "false_names_per_camera_hour": round(wrong / hours(scenes), 2),
        "tracks_of_the_enrolled": len(nameable),
        "with_a_face": len(nameable & faced),
        "recall": round(len(nameable & named) / len(nameable), 3) if nameable else None,
        "said": [f"{one.scene.clip}: {one.name}" for one in said if worth_of(one) is Worth.RIGHT],
        "wrongly": [told(one) for one in said if worth_of(one) is Worth.WRONG][:WORST_TOLD],
    }


def worth_of(one: Said) -> Worth:
    found = one.scene.truth.worth(one.name, one.scene.places(one.track, one.at))
    return Worth.UNTOLD if found is Worth.RIGHT and one.name in CUT_FROM.get(one.scene.clip, ()) else found


def told(one: Said) -> dict[str, Any]:
    return {
        "clip": one.scene.clip,
        "at_s": round((one.at - one.scene.started_at).total_seconds(), 2),
        "name": one.name,
        "by_event": one.by_event,
        "probability": one.probability,
        "evidence": one.evidence,
    }


if __name__ == "__main__":
    sys.exit(main())
