"""Where runs and cases keep their files: under the media folder, which ingest and web share, apart from recordings."""

import contextlib
from pathlib import Path
from uuid import UUID

from marengocam.media.disk_thread import still_answers

REPLAYS, CASES = "replays", "replay_cases"
LOG = "run.log"


def run_place(media_dir: Path, run_id: UUID) -> Path:
    """Return a run's folder."""
    return media_dir / REPLAYS / str(run_id)


def case_place(media_dir: Path, case_id: UUID) -> Path:
    """Return a case's folder, with the recording it looks at."""
    return media_dir / CASES / str(case_id)


def folders(media_dir: Path) -> list[UUID]:
    """Return the runs that have a folder."""
    found = []
    for entry in (media_dir / REPLAYS).glob("*"):
        try:
            found.append(UUID(entry.name))
        except ValueError:
            continue
    return found


def remove_folder(media_dir: Path, run_id: UUID) -> None:
    """Delete everything a run left on disk."""
    remove_tree(run_place(media_dir, run_id))


def remove_tree(folder: Path) -> None:
    """Delete a folder with all in it that can be deleted; that it takes long is no hang of its disk."""
    with contextlib.suppress(OSError):
        for one in folder.iterdir():
            still_answers()
            if one.is_dir() and not one.is_symlink():
                remove_tree(one)
            else:
                with contextlib.suppress(OSError):
                    one.unlink()
        folder.rmdir()
