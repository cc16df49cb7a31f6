"""YOLO on OpenVINO: the default on a CPU."""

from pathlib import Path

from marengocam.vision.detectors.shaped import LONG_SIDE_PX, ShapedDetector
from marengocam.vision.openvino_net import OpenVinoNet


class OpenVinoDetector(ShapedDetector):
    """In the precision the processor is best at, or FP32 when `exact`; an INT8 network brings its own."""

    def __init__(
        self,
        file: Path,
        model_name: str,
        cache_dir: Path,
        long_side_px: int = LONG_SIDE_PX,
        fixed_px: int | None = None,
        *,
        exact: bool = False,
    ) -> None:
        super().__init__(
            f"{model_name}-openvino",
            lambda size: OpenVinoNet(file, (1, 3, size[1], size[0]), cache_dir, exact=exact),
            fixed_px or long_side_px,
            square=fixed_px is not None,
        )
