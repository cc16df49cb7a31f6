"""`marengocam models export`: a torch model as ONNX or OpenVINO, for machines without torch."""

import os
import shutil
import tempfile
from pathlib import Path

from marengocam.core.errors import BadInputError, ModelError
from marengocam.vision.models.made import MadeModel, hashes, install
from marengocam.vision.models.registry import ModelSpec

FORMATS = ("onnx", "openvino")


def exported_name(spec: ModelSpec) -> str:
    """Return how a torch model is called once it is exported."""
    return f"{spec.name}-exported"


def export_model(spec: ModelSpec, file: Path, kind: str, folder: Path, made_at: str) -> Path:
    """Write the model in `file` (.pt) as `kind` into `folder` and return it; height and width stay open.

    It is found as a detector from then on. Raises BadInputError for another kind of file and ModelError when the extra
    [gpu] is missing or it fails.
    """
    if file.suffix != ".pt" or kind not in FORMATS:
        raise BadInputError(f"Only .pt models can be exported, as {' or '.join(FORMATS)}.")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_OFFLINE", "true")
    try:
        from ultralytics import YOLO, __version__  # noqa: PLC0415 - only where it is used
    except ImportError as error:
        raise ModelError("Exporting needs torch and ultralytics: pip install 'marengocam[gpu]' onnx.") from error
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as place:
        copy = Path(shutil.copy(file, place))
        try:
            written = Path(str(YOLO(str(copy), task="detect").export(format=kind, dynamic=True)))
        except Exception as error:  # whatever library is missing or fails
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(f"The model cannot be exported: {first}") from error
        parts = {part.suffix: part for part in _parts(written)}
        made = MadeModel(
            name=exported_name(spec),
            made_of=spec.name,
            made_of_sha256=spec.sha256,
            files=hashes(parts),
            size_bytes=sum(part.stat().st_size for part in parts.values()),
            made_at=made_at,
            made_by=f"ultralytics {__version__}",
        )
        return install(made, parts, folder)


def _parts(written: Path) -> list[Path]:
    if written.is_file():
        return [written]
    return [next(written.glob(f"*{suffix}")) for suffix in (".xml", ".bin")]
