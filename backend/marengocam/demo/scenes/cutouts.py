"""People cut out of pictures that installed packages carry, so that nothing needs to be downloaded or shipped."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from marengocam.core.errors import BadInputError

Picture = npt.NDArray[np.uint8]

OUTLINES_FILE = Path(__file__).with_name("outlines.json")
MARGIN_PX = 6
EDGE_BLUR_PX = 3


@dataclass(frozen=True, slots=True)
class Cutout:
    """One person: RGB picture (H x W x 3) and how opaque each pixel is (H x W, 0 to 1)."""

    name: str
    picture: Picture
    opacity: npt.NDArray[np.float32]

    def scaled(self, height_px: int, *, mirrored: bool = False) -> "Cutout":
        """Return it at this height, optionally facing the other way."""
        factor = height_px / self.picture.shape[0]
        size = (max(2, round(self.picture.shape[1] * factor)), height_px)
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        picture = cv2.resize(self.picture, size, interpolation=how)
        opacity = cv2.resize(self.opacity, size, interpolation=cv2.INTER_LINEAR)
        if mirrored:
            picture, opacity = picture[:, ::-1], opacity[:, ::-1]
        return Cutout(self.name, np.ascontiguousarray(picture, np.uint8), np.ascontiguousarray(opacity, np.float32))


def picture_file(package: str, relative: str) -> Path:
    """Return a picture inside an installed package, without importing it.

    Raises BadInputError that names the package to install.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise BadInputError(f"The demo's scenes need pictures from the package {package!r}: run ./script/setup.")
    file = Path(spec.origin).parent / relative
    if not file.is_file():
        raise BadInputError(f"The installed package {package!r} has no picture {relative}: run ./script/setup.")
    return file


def load_cutouts() -> dict[str, Cutout]:
    """Return every person of outlines.json, by name."""
    outlines = json.loads(OUTLINES_FILE.read_text())
    return {name: _cut(name, entry) for name, entry in outlines.items()}


def _cut(name: str, entry: dict[str, object]) -> Cutout:
    file = picture_file(str(entry["package"]), str(entry["picture"]))
    loaded = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if loaded is None:
        raise BadInputError(f"The picture {file.name} of an installed package cannot be read: reinstall it.")
    whole = cv2.cvtColor(loaded, cv2.COLOR_BGR2RGB)
    outline = np.asarray(entry["outline_px"], np.int32)
    mask = np.zeros(whole.shape[:2], np.uint8)
    cv2.fillPoly(mask, [outline], 255)
    x, y, width, height = cv2.boundingRect(outline)
    top, left = max(0, y - MARGIN_PX), max(0, x - MARGIN_PX)
    region = np.s_[top : y + height, left : x + width + MARGIN_PX]
    soft = cv2.GaussianBlur(mask[region], (0, 0), EDGE_BLUR_PX / 2)
    return Cutout(name, np.ascontiguousarray(whole[region], np.uint8), (soft / 255.0).astype(np.float32))
