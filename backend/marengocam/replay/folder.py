"""A run's own folder under the media folder: finished units, pictures, report, log; gone with the run."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from marengocam.core.errors import NotFoundError
from marengocam.lasting import settle
from marengocam.replay.findings import UnitFindings
from marengocam.replay.places import LOG, run_place

UNITS, PICTURES, REPORT, PAGE = "units", "pictures", "report.json", "page.html"


class RunFolder:
    """Everything a run leaves on disk."""

    def __init__(self, media_dir: Path, run_id: UUID) -> None:
        self.place = run_place(media_dir, run_id)

    @property
    def log(self) -> Path:
        return self.place / LOG

    def prepare(self) -> None:
        """Make the folder; only this account may look inside."""
        for name in (UNITS, PICTURES):
            (self.place / name).mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep_unit(self, findings: UnitFindings) -> None:
        """Keep a finished unit, whole or not at all."""
        write_whole(self._unit(findings.number), findings.to_bytes())

    def unit(self, number: int, inputs: str) -> UnitFindings | None:
        """Return a unit that an earlier attempt finished with the same video, code, models and settings."""
        try:
            findings = UnitFindings.from_bytes(self._unit(number).read_bytes())
        except (OSError, msgspec.DecodeError):
            return None
        return findings if findings.inputs == inputs else None

    def conclude(self, report: Mapping[str, Any], pictures: Mapping[str, bytes]) -> None:
        """Keep report and pictures; the units are not needed any more."""
        for name, jpeg in pictures.items():
            write_whole(self.place / PICTURES / name, jpeg)
        write_whole(self.place / REPORT, canonical(report))
        shutil.rmtree(self.place / UNITS, ignore_errors=True)

    def keep_page(self, text: str) -> None:
        """Keep a page of its own for people to read."""
        write_whole(self.place / PAGE, text.encode())

    def page(self) -> str | None:
        """Return the page that was kept, None when there is none."""
        try:
            return (self.place / PAGE).read_text()
        except OSError:
            return None

    def report(self) -> dict[str, Any]:
        """Return the whole report; raises NotFoundError."""
        try:
            found: dict[str, Any] = json.loads((self.place / REPORT).read_bytes())
        except (OSError, ValueError):
            raise NotFoundError("The replay has no report (yet).") from None
        return found

    def picture(self, name: str) -> bytes | None:
        """Return a picture by its file name, None when there is none."""
        file = self.place / PICTURES / Path(name).name
        try:
            return file.read_bytes()
        except (OSError, ValueError):  # a name may hold what no name holds
            return None

    def _unit(self, number: int) -> Path:
        return self.place / UNITS / f"{number:05d}.msgpack"


def canonical(report: Mapping[str, Any]) -> bytes:
    """Return a report as bytes: equal reports are equal bytes."""
    return json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def write_whole(file: Path, content: bytes) -> None:
    """Write a file, whole or not at all."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_bytes(content)
    settle(partial, file)
