"""Models made on an owner's machine: found by a side file that names the known file they come of and their own hashes.

A side file is no signature: who may write into the folder may write both. It keeps broken, swapped and stray files out,
and says where a network comes from. Networks that are only read (XML with weights, ONNX) may be made; never a pickle.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from marengocam.core.errors import ModelError
from marengocam.lasting import settle
from marengocam.vision.models.download import sha256_of
from marengocam.vision.models.registry import ModelSpec, spec_named

SIDE_SUFFIX = ".made.json"
MAX_SIDE_BYTES = 64 << 10
MAX_MADE = 32  # side files that are read of a folder
KINDS = ((".onnx",), (".xml", ".bin"))  # the first is the one that is opened
_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}$")
_SHORT = 16  # digits of the hash in a file's name: two makings never share a file


@dataclass(frozen=True, slots=True)
class MadeModel:
    """What a side file says: of which known file it was made, when and how, and what it holds."""

    name: str
    made_of: str
    made_of_sha256: str  # of the known file
    files: dict[str, str]  # suffix and SHA-256
    size_bytes: int
    made_at: str
    made_by: str
    int8_of: str | None = None  # the network that was quantised, and its digest
    int8_of_digest: str | None = None
    pictures: int = 0  # it was calibrated with
    checked_pictures: int = 0
    checked_objects: int = 0
    kept_share: float | None = None  # of what the full precision finds surely
    backed_share: float | None = None  # of what it finds surely itself, how much the full precision finds too

    def spec(self) -> ModelSpec | None:
        """Return it as a model that can be found, or None when it cannot be trusted."""
        origin = spec_named(self.made_of)
        suffixes = tuple(self.files)
        if origin is None or origin.sha256 != self.made_of_sha256 or suffixes not in KINDS:
            return None
        if not _NAME.match(self.name) or spec_named(self.name) or not all(map(_is_sha256, self.files.values())):
            return None
        first, *others = (file_name(self.name, suffix, self.files) for suffix in suffixes)
        sums = tuple(self.files.values())
        return ModelSpec(
            self.name,
            origin.role,
            first,
            sums[0],
            self.size_bytes,
            origin.licence,
            self._quality(origin),
            beside=tuple(zip(others, sums[1:], strict=True)),
            made=True,
            int8_of=(self.int8_of, self.int8_of_digest) if self.int8_of and self.int8_of_digest else None,
        )

    def _quality(self, origin: ModelSpec) -> str:
        if self.int8_of is None or self.kept_share is None:
            return f"made here of {origin.name} on {self.made_at[:10]}: {origin.quality.partition(';')[0]}"
        return (
            f"INT8 of {self.int8_of}, made here on {self.made_at[:10]}: finds {self.kept_share:.3f} of what that finds"
        )


def made_in(folder: Path) -> Iterator[ModelSpec]:
    """Yield the made models that a folder's side files tell of; their files are verified when they are looked for."""
    try:
        sides = sorted(folder.glob(f"*{SIDE_SUFFIX}"))[:MAX_MADE]
    except OSError:
        return
    for side in sides:
        made = _read(side)
        spec = made.spec() if made is not None and side.name == f"{made.name}{SIDE_SUFFIX}" else None
        if spec is not None:
            yield spec


def origin_of(spec: ModelSpec, file: Path) -> ModelSpec:
    """Return the known model that one goes back to: itself, or what its side file tells; raises ModelError."""
    if not spec.made:
        return spec
    made = _read(file.parent / f"{spec.name}{SIDE_SUFFIX}")
    origin = spec_named(made.made_of) if made is not None else None
    if origin is None:
        raise ModelError(f"It is not known what {spec.name} was made of: make it again.")
    return origin


def install(made: MadeModel, parts: Mapping[str, Path], folder: Path) -> Path:
    """Move finished files into `folder` under their final names and return the one that is opened.

    The side file comes last and in one step: until then, and after a crash at any moment, what was there before holds.
    """
    try:
        for suffix, part in parts.items():
            settle(part, folder / file_name(made.name, suffix, made.files))
        side = folder / f"{made.name}{SIDE_SUFFIX}"
        growing = folder / f".{side.name}.partial"
        growing.write_text(json.dumps(asdict(made), indent=2) + "\n")
        settle(growing, side)
        _remove_former(made, folder)
    except OSError as error:
        raise ModelError(f"The made model cannot be written into {folder}: {error.strerror or error}.") from error
    return folder / file_name(made.name, next(iter(made.files)), made.files)


def hashes(parts: Mapping[str, Path]) -> dict[str, str]:
    """Return the SHA-256 of each part."""
    return {suffix: sha256_of(part) for suffix, part in parts.items()}


def file_name(name: str, suffix: str, files: Mapping[str, str]) -> str:
    """Return how a part is called: never read from a side file, always made of name and hash."""
    return f"{name}-{next(iter(files.values()))[:_SHORT]}{suffix}"


def _remove_former(made: MadeModel, folder: Path) -> None:
    kept = {file_name(made.name, suffix, made.files) for suffix in made.files}
    ours = re.compile(rf"^{re.escape(made.name)}-[0-9a-f]{{{_SHORT}}}\.(onnx|xml|bin)$")
    for file in folder.iterdir():
        if ours.match(file.name) and file.name not in kept:
            file.unlink(missing_ok=True)  # a process that reads it still keeps it


def _read(side: Path) -> MadeModel | None:
    try:
        with side.open("rb") as opened:
            content: Any = opened.read(MAX_SIDE_BYTES + 1)
        return msgspec.json.decode(content, type=MadeModel) if len(content) <= MAX_SIDE_BYTES else None
    except (OSError, msgspec.MsgspecError):
        return None


def _is_sha256(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None
