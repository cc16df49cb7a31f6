"""Every model file we know, by its SHA-256; a file with another content is not used."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a model is for."""

    DETECTOR = "detector"
    FACE_DETECTOR = "face_detector"
    FACE_EMBEDDING = "face_embedding"
    APPEARANCE = "appearance"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One file. `url` is the upstream's own release address, None where there is none to fetch it from."""

    name: str
    role: Role
    file_name: str
    sha256: str
    size_bytes: int
    licence: str
    quality: str
    url: str | None = None
    needs_torch: bool = False
    fixed_px: int | None = None  # its input is a square of this side; None: any shape
    beside: tuple[tuple[str, str], ...] = ()  # further files it needs: name and SHA-256
    made: bool = False  # on this machine or another of the owner's, not by its upstream
    int8_of: tuple[str, str] | None = None  # made here of the network of this name and digest

    @property
    def digest(self) -> str:
        """What tells its whole content from any other: of all its files."""
        if not self.beside:
            return self.sha256
        return hashlib.sha256("".join((self.sha256, *(sha256 for _, sha256 in self.beside))).encode()).hexdigest()


# In order of preference within a role.
MODELS = (
    ModelSpec(
        "yolo11n-onnx",
        Role.DETECTOR,
        "yolo11n_reconstructed.onnx",
        "9472dbfa1cfb08c3500b5b59215ab832cb75af055d23ace97b813fea25837a96",
        11_031_873,
        "AGPL-3.0",
        "good: people, vehicles, animals by day and under lamps",
    ),
    ModelSpec(
        "yolo11n-int8",
        Role.DETECTOR,
        "yolo11n_int8_openvino_model/yolo11n.xml",
        "fedac70f9389c55a2a604e957f66ed8195cda1dd6eb4eb7d8b98919d8c43753d",
        661_035,
        "AGPL-3.0",
        "good: people, vehicles, animals by day and under lamps; always 640x640, so dearer than yolo11n-onnx",
        fixed_px=640,
        beside=(
            (
                "yolo11n_int8_openvino_model/yolo11n.bin",
                "df1ce92b661e326a11e016ba380fde8cb7ddda528a920d0c4fcba98b69322a9b",
            ),
        ),
    ),
    ModelSpec(
        "yolo11n",
        Role.DETECTOR,
        "yolo11n.pt",
        "0ebbc80d4a7680d14987a577cd21342b65ecfd94632bd9a8da63ae6417644ee1",
        5_613_764,
        "AGPL-3.0",
        "good: people, vehicles, animals by day and under lamps; needs the extra [gpu]",
        "https://github.com/ultralytics/assets/releases/download/v8.3.0/yolo11n.pt",
        needs_torch=True,
    ),
    ModelSpec(
        "yolo11n-rebuilt",
        Role.DETECTOR,
        "yolo11n_reconstructed.pt",
        "ce229d3ee16535a41ec6dc4ea974ec2ab37776c85b33efb0b9324f23f5a87efc",
        5_503_929,
        "AGPL-3.0",
        "good: for tests of the extra [gpu]; its weights come from an INT8 export of yolo11n",
        needs_torch=True,
    ),
    ModelSpec(
        "yunet-2023mar",
        Role.FACE_DETECTOR,
        "face_detection_yunet_2023mar.onnx",
        "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        232_589,
        "MIT",
        "good: faces from about 20 px",
        "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/face_detection_yunet/"
        "face_detection_yunet_2023mar.onnx",
    ),
    ModelSpec(
        "sface-128",
        Role.FACE_EMBEDDING,
        "face_recognition_sface_2021dec.onnx",
        "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
        38_696_353,
        "Apache-2.0",
        "good: recognises frontal faces from about 40 px",
        "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/face_recognition_sface/"
        "face_recognition_sface_2021dec.onnx",
    ),
    ModelSpec(
        "mobilefacenet-128",
        Role.FACE_EMBEDDING,
        "mobilefacenet_128d.onnx",
        "b7274e7fe0070b188da037628a9d5254e8a6efdd6799474e50334f8bf904e7b7",
        4_132_798,
        "not stated: for tests, not to be shipped",
        "good: recognises frontal faces from about 35 px",
    ),
    ModelSpec(
        "omz-reid-0287-256",
        Role.APPEARANCE,
        "person_reid_omz0267_256d.onnx",
        "f7af02c29a0a5c5ff2ad2360689e2d3d5fa16ca766b13c789309e1163fc9f8d6",
        2_504_021,
        "Apache-2.0",
        "good: links people across cameras within a visit",
    ),
    ModelSpec(
        "osnet-x0_25-msmt17-512",
        Role.APPEARANCE,
        "osnet_x0_25_msmt17_512d.onnx",
        "61b2604171ef9d58d21758626f83b35a253c3d7123976523a6e03068c3c95d7b",
        921_616,
        "MIT code, research data",
        "fair: links people across cameras within a visit",
    ),
)


def spec_named(name: str) -> ModelSpec | None:
    """Return the model of that name."""
    return next((spec for spec in MODELS if spec.name == name), None)
