"""A detector that is here, made INT8 by an owner's pictures, and installed only if it still finds the same."""

import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from marengocam.core.errors import BadInputError, ModelError
from marengocam.core.model import Detection
from marengocam.vision.detectors.openvino import OpenVinoDetector
from marengocam.vision.detectors.protocol import Detector, Picture
from marengocam.vision.detectors.shaped import input_size
from marengocam.vision.detectors.yolo import fit
from marengocam.vision.models.keeping import FOUND_SCORE, Keeping, compared, sure_objects
from marengocam.vision.models.made import MadeModel, hashes, install
from marengocam.vision.models.quantising import require_nncf, write_int8
from marengocam.vision.models.registry import ModelSpec

CALIBRATION_PICTURES = 128  # more changed nothing that was measured
LEAST_CALIBRATION_PICTURES = 16
CHECK_OBJECTS = 300  # sure ones; then it is known well enough
LEAST_CHECK_OBJECTS = 50  # fewer, and one that is missed by chance decides
MOST_CHECK_PICTURES = 200  # that are kept in memory, 0.7 MB each
MOST_LOOKED_AT = 2000  # for them: most pictures of a quiet house show nobody
EMPTY_CHECK_SHARE = 4  # one of so many kept pictures may be one without anything: nothing is to be made up there
KEEPS_AT_LEAST = 0.98
TIMED_LOOKS = 7
MORE = "record for longer, or name pictures or clips of all cameras, by day and night, with --pictures"


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What came of it: the installed file, how it was checked, and how long each takes here."""

    file: Path
    made: MadeModel
    keeping: Keeping
    ms_a_look: dict[str, float]


@dataclass(slots=True)
class _Sample:
    calibration: list[Picture] = field(default_factory=list)
    check: list[Picture] = field(default_factory=list)
    found: list[list[Detection]] = field(default_factory=list)  # on the latter, in full precision

    @property
    def objects(self) -> int:
        return sum(map(sure_objects, self.found))


def make_int8(
    spec: ModelSpec,
    origin: ModelSpec,
    file: Path,
    pictures: Iterable[Picture],
    side_px: int,
    folder: Path,
    made_at: str,
) -> Shrunk:
    """Make `spec`'s network INT8, check it on pictures that it was not calibrated with, and install it.

    `origin` is the known file that it goes back to. Raises ModelError, and BadInputError when the pictures do not do.
    """
    nncf = require_nncf()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as place:
        full = OpenVinoDetector(file, "full", Path(place), side_px, exact=True)
        sample = _sampled(pictures, full)
        parts = {".xml": Path(place) / "made.xml", ".bin": Path(place) / "made.bin"}
        write_int8(file, [_planes(one, side_px) for one in sample.calibration], parts[".xml"])
        small = OpenVinoDetector(parts[".xml"], "small", Path(place), side_px)
        keeping = compared(sample.found, [small.detect([one], FOUND_SCORE)[0] for one in sample.check])
        if min(keeping.kept_share, keeping.backed_share) < KEEPS_AT_LEAST:
            raise ModelError(_too_little(spec, keeping))
        ways = {"f32": full, "int8": small}
        native = OpenVinoDetector(file, "native", Path(place), side_px)
        if native.precision != full.precision:
            ways[native.precision] = native
        made = MadeModel(
            name=f"{spec.name}-int8",
            made_of=origin.name,
            made_of_sha256=origin.sha256,
            files=hashes(parts),
            size_bytes=sum(part.stat().st_size for part in parts.values()),
            made_at=made_at,
            made_by=f"nncf {nncf.__version__}",
            int8_of=spec.name,
            int8_of_digest=spec.digest,
            pictures=len(sample.calibration),
            checked_pictures=len(sample.check),
            checked_objects=keeping.sure,
            kept_share=round(keeping.kept_share, 4),
            backed_share=round(keeping.backed_share, 4),
        )
        return Shrunk(install(made, parts, folder), made, keeping, _timed(ways, sample.check[0]))


def _sampled(pictures: Iterable[Picture], full: Detector) -> _Sample:
    """Deal pictures out in turn: one to calibrate with, one to check with, until both have enough."""
    sample = _Sample()
    for number, picture in enumerate(pictures):
        calibrated = len(sample.calibration) >= CALIBRATION_PICTURES
        checked = sample.objects >= CHECK_OBJECTS or len(sample.check) >= MOST_CHECK_PICTURES
        if (calibrated and checked) or number >= MOST_LOOKED_AT:
            break
        if not calibrated and (checked or _to_calibrate(number)):
            sample.calibration.append(picture)
        elif not checked:
            found = full.detect([picture], FOUND_SCORE)[0]
            empty = sum(not one for one in sample.found)
            if found or empty * EMPTY_CHECK_SHARE <= len(sample.check):
                sample.check.append(picture)
                sample.found.append(found)
    if len(sample.calibration) < LEAST_CALIBRATION_PICTURES:
        raise BadInputError(
            f"There are only {len(sample.calibration)} pictures to calibrate with, {LEAST_CALIBRATION_PICTURES} are "
            f"needed and {CALIBRATION_PICTURES} are good: {MORE}."
        )
    if sample.objects < LEAST_CHECK_OBJECTS:
        raise BadInputError(
            f"The pictures show only {sample.objects} people, vehicles or animals that are surely seen, "
            f"{LEAST_CHECK_OBJECTS} are needed to check what is made: {MORE}."
        )
    return sample


def _to_calibrate(number: int) -> bool:
    """Return whether the picture of this number calibrates: by no period, since cameras and clips come in turn."""
    return number.bit_count() % 2 == 0


def _planes(picture: Picture, side_px: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return fit(picture, *input_size(picture.shape[1], picture.shape[0], side_px))[0]


def _timed(ways: dict[str, OpenVinoDetector], picture: Picture) -> dict[str, float]:
    """Return the median of a few looks of each, taken in turn, in milliseconds."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TIMED_LOOKS):
        for name, way in ways.items():
            began_s = time.perf_counter()
            way.detect([picture], FOUND_SCORE)
            taken[name].append(1000 * (time.perf_counter() - began_s))
    return {name: round(float(np.median(times)), 1) for name, times in taken.items()}


def _too_little(spec: ModelSpec, keeping: Keeping) -> str:
    return (
        f"The INT8 network is not installed: it keeps {keeping.kept_share:.3f} of what {spec.name} finds "
        f"({keeping.kept} of {keeping.sure} objects), and that one finds {keeping.backed_share:.3f} of what it finds "
        f"({keeping.backed} of {keeping.told}); {KEEPS_AT_LEAST} is the least for both. {MORE.capitalize()}."
    )
