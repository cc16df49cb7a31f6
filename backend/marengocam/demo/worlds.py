"""What the demo shows: real footage where there is some, composed scenes everywhere else."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from marengocam.core.errors import BadInputError
from marengocam.demo import scenes
from marengocam.demo.footage import PORTRAITS, PROGRAMME, programme_for, render_camera
from marengocam.demo.scenes.cutouts import picture_file
from marengocam.demo.scenes.render import render_play

ANY_CAMERA = "*"


@dataclass(frozen=True, slots=True)
class DemoCamera:
    """One live camera of the demo and the file that it shows round after round."""

    name: str
    mount: str
    file: Path


@dataclass(frozen=True, slots=True)
class World:
    """Cameras; people an owner would enrol (name to portrait); strangers an owner would name.

    `stranger_names` gives a name to the first unknown of a camera, by camera name; "*" stands for any camera.
    """

    title: str
    cameras: tuple[DemoCamera, ...]
    portraits: dict[str, Path]
    stranger_names: dict[str, str]


def build_world(footage: Path | None, faces: Path | None, cache: Path) -> World:
    """Return the world to show, rendering what is not in `cache` yet."""
    if footage is not None:
        return _footage_world(footage, faces, cache)
    return _composed_world(cache)


def _footage_world(footage: Path, faces: Path | None, cache: Path) -> World:
    if not footage.is_dir():
        raise BadInputError(f"--footage {footage} is not a folder.")
    programme = programme_for(footage)
    cameras = tuple(
        DemoCamera(camera.camera_name, f"cam{number}", render_camera(footage, camera, cache))
        for number, camera in enumerate(programme, start=1)
    )
    portraits: dict[str, Path] = {}
    if faces is not None and programme is PROGRAMME:
        portraits = {name: faces / file for name, file in PORTRAITS.items() if (faces / file).is_file()}
    strangers = {"Room": "Chris"} if programme is PROGRAMME else {ANY_CAMERA: "Alice"}
    if programme is PROGRAMME and not portraits:
        strangers["Entrance"] = "Alice"
    return World("real clips", cameras, portraits, strangers)


def _composed_world(cache: Path) -> World:
    folder = cache / f"composed-{_source_fingerprint()}"
    done = folder / "complete"
    if not done.is_file():
        render_play(folder)
        done.touch()
    cameras = tuple(
        DemoCamera(file.stem.replace("_", " ").capitalize(), f"cam{number}", file)
        for number, file in enumerate(sorted(folder.glob("*.mp4"), reverse=True), start=1)
    )
    portraits = {"Carol": picture_file("skimage", "data/astronaut.png")}
    return World("composed scenes", cameras, portraits, {ANY_CAMERA: "Alice"})


def _source_fingerprint() -> str:
    """Return a name that changes when the code or data that composes the scenes does."""
    folder = Path(str(scenes.__file__)).parent
    digest = hashlib.sha256()
    for file in sorted([*folder.glob("*.py"), *folder.glob("*.json")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
