"""How benches measure and tell: CPU time user+sys, alternated runs, medians, ratios and targets in one JSON."""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
MEBIBYTE = 1 << 20
HOUR_S = 3600.0
FFMPEG = ("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin")


@dataclass(frozen=True, slots=True)
class Target:
    """One promise of the performance page; `passed` is None where it could not be measured."""

    id: str
    text: str
    measured: float | None
    limit: float
    passed: bool | None


def at_most(name: str, text: str, measured: float | None, limit: float) -> Target:
    return Target(name, text, measured, limit, None if measured is None else measured <= limit)


def at_least(name: str, text: str, measured: float | None, limit: float) -> Target:
    return Target(name, text, measured, limit, None if measured is None else measured >= limit)


def arguments_of(about: str | None, **shortenings: float) -> argparse.ArgumentParser:
    """Return a parser with --json and the named amounts, which a short run lowers."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    for name, default in shortenings.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    return parser


def cpu_s() -> float:
    """Return user+sys CPU seconds of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def cpu_of(*processes: int) -> float:
    """Return user+sys CPU seconds so far of living processes and of what they started."""
    total = 0.0
    for pid in processes:
        for one in family(pid):
            times = one.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def resident_mb(*processes: int) -> float:
    """Return proportional memory, so that shared libraries count once."""
    return sum(one.memory_full_info().pss for pid in processes for one in family(pid)) / MEBIBYTE


def family(pid: int) -> list[psutil.Process]:
    one = psutil.Process(pid)
    return [one, *one.children(recursive=True)]


def alternated(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return each way's median of `rounds` runs, taken in turn so that a busy moment hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            taken[name].append(run())
    return {name: statistics.median(values) for name, values in taken.items()}


def ratio(ours: float, others: float) -> float | None:
    """Return how many times the other's cost ours is; None where the other's was too small to be measured."""
    return round(ours / others, 3) if others else None


def percentile(values: list[float], share: float) -> float | None:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)] if values else None


def tell(bench: str, file: Path | None, figures: dict[str, Any], targets: list[Target], notes: list[str]) -> None:
    """Print a short table and write the whole report."""
    report = {
        "bench": bench,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251 - a report's date
        "commit": _commit(),
        "machine": machine(),
        "figures": figures,
        "targets": [asdict(target) for target in targets],
        "notes": notes,
    }
    _print(figures)
    for target in targets:
        state = {True: "met", False: "MISSED", None: "not measured"}[target.passed]
        print(f"{target.id:4} {target.text}: {target.measured} (limit {target.limit}) {state}")
    for note in notes:
        print(note)
    if file is not None:
        file.write_text(json.dumps(report, indent=2) + "\n")


def machine() -> dict[str, Any]:
    words = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "processor": words[0] if words else platform.processor(),
        "cores": os.cpu_count(),
        "memory_mb": psutil.virtual_memory().total // MEBIBYTE,
        "load_1_min": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


def moving_picture(file: Path, width: int, height: int, fps: int, seconds: float, kbit_s: int) -> Path:
    """Write a clip of these measures: a real street where there is footage, else FFmpeg's moving test picture."""
    street = footage_file("towncentre_10s.mp4")
    source = (
        ("-stream_loop", "-1", "-i", str(street))
        if street is not None
        else ("-f", "lavfi", "-i", f"testsrc2=size={width}x{height}:rate={fps}")
    )
    rate = f"{kbit_s}k"
    encode = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", str(2 * fps), "-pix_fmt", "yuv420p", "-an")
    measures = ("-t", str(seconds), "-r", str(fps), "-vf", f"scale={width}:{height}")
    limits = ("-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate, "-x264-params", "nal-hrd=cbr")
    subprocess.run([*FFMPEG, "-y", *source, *measures, *encode, *limits, str(file)], check=True)
    return file


def shared_folder(name: str) -> Path | None:
    """Return the folder of footage or models: its environment variable, else ../shared beside the checkout."""
    told = os.environ.get(f"MARENGOCAM_{name.upper()}")
    folder = Path(told) if told is not None else ROOT.parent / "shared" / name
    return folder if (told is None or told) and folder.is_dir() else None


def footage_file(name: str) -> Path | None:
    folder = shared_folder("footage")
    return folder / name if folder is not None and (folder / name).is_file() else None


def _print(figures: dict[str, Any], indent: str = "") -> None:
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f"{indent}{name}")
            _print(value, indent + "  ")
        else:
            print(f"{indent}{name:38} {value}")


def _commit() -> str:
    told = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or "unknown"


def _lines(file: str) -> list[str]:
    return Path(file).read_text().splitlines() if Path(file).is_file() else []
