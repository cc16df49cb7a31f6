"""How commands tell of replays."""

from pathlib import Path
from typing import TYPE_CHECKING

from marengocam.core.errors import BadInputError

if TYPE_CHECKING:
    from marengocam.db.replays import ReplayRun


def run_line(run: "ReplayRun") -> str:
    """Return how a run is doing in one line."""
    told = run.progress
    if run.state == "running" and told:
        share = 100 * told["done_s"] / told["total_s"] if told["total_s"] else 0.0
        speed = told["done_s"] / told["running_s"] if told["running_s"] else 0.0
        waits = f", waits for {told['waits_for']}" if told["waits_for"] else ""
        units = f"unit {told['units_done']} of {told['units']}"
        return f"running {share:5.1f} %, {units}, {speed:.1f} times real time, {told['stage']}{waits}"
    if run.state == "finished":
        report = run.report
        found = (
            f", {len(report['tracks'])} tracks, {len(report['events'])} events"
            if report.get("events") is not None
            else ""
        )
        return f"finished{found}"
    return f"{run.state} {run.reason}".strip()


def picture_bytes(jpeg: bytes, file: Path) -> bytes:
    """Return a picture as the file's name asks for: PNG or JPEG; raises BadInputError."""
    import cv2  # noqa: PLC0415 - loaded when needed
    import numpy as np  # noqa: PLC0415 - loaded when needed

    if file.suffix.lower() in {".jpg", ".jpeg"}:
        return jpeg
    if file.suffix.lower() != ".png":
        raise BadInputError("--picture takes a file that ends in .png or .jpg.")
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    _, encoded = cv2.imencode(".png", picture)
    return encoded.tobytes()
