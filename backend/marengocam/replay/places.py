"""Where runs and cases keep their files: in the data folder, apart from recordings."""

import shutil
from pathlib import Path
from uuid import UUID

REPLAYS, CASES = "replays", "replay_cases"
LOG = "run.log"


def run_place(data_dir: Path, run_id: UUID) -> Path:
    """Return a run's folder."""
    return data_dir / REPLAYS / str(run_id)


def case_place(data_dir: Path, case_id: UUID) -> Path:
    """Return a case's folder, with the recording it looks at."""
    return data_dir / CASES / str(case_id)


def folders(data_dir: Path) -> list[UUID]:
    """Return the runs that have a folder."""
    found = []
    for entry in (data_dir / REPLAYS).glob("*"):
        try:
            found.append(UUID(entry.name))
        except ValueError:
            continue
    return found


def remove_folder(data_dir: Path, run_id: UUID) -> None:
    """Delete everything a run left on disk."""
    shutil.rmtree(run_place(data_dir, run_id), ignore_errors=True)
