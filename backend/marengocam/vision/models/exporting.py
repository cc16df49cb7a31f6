"""`marengocam models export`: a torch model as ONNX or OpenVINO, for machines without torch."""

import os
import shutil
import tempfile
from pathlib import Path

from marengocam.core.errors import BadInputError, ModelError

FORMATS = ("onnx", "openvino")


def export_model(file: Path, kind: str, folder: Path) -> Path:
    """Write the model in `file` (.pt) as `kind` into `folder` and return it; height and width stay open.

    Raises BadInputError for another kind of file and ModelError when the extra [gpu] is missing or it fails.
    """
    if file.suffix != ".pt" or kind not in FORMATS:
        raise BadInputError(f"Only .pt models can be exported, as {' or '.join(FORMATS)}.")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_OFFLINE", "true")
    try:
        from ultralytics import YOLO  # noqa: PLC0415 - only where it is used
    except ImportError as error:
        raise ModelError("Exporting needs torch and ultralytics: pip install 'marengocam[gpu]' onnx.") from error
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        copy = Path(shutil.copy(file, place))
        try:
            made = Path(str(YOLO(str(copy), task="detect").export(format=kind, dynamic=True)))
        except Exception as error:  # whatever library is missing or fails
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(f"The model cannot be exported: {first}") from error
        target = folder / made.name
        if target.is_dir():
            shutil.rmtree(target)
        return Path(shutil.move(made, target))
