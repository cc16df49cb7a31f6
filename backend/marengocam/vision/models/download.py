"""Fetching a model from its upstream: resumed, limited, verified before it gets its name."""

import contextlib
import fcntl
import hashlib
import http.client
import logging
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from marengocam.core.errors import ModelError
from marengocam.lasting import settle
from marengocam.vision.models.registry import ModelSpec

CONNECT_TIMEOUT_S = 3.0  # also the longest silence: an offline start must not wait
DOWNLOAD_LIMIT_S = 900.0
BLOCK_BYTES = 1 << 18
SIZE_SLACK = 1.05  # of the known size: more is not the file
BASE_VARIABLE = "MARENGOCAM_MODELS_MIRROR"  # an owner's own mirror: its folder holds the files by name
_LOG = logging.getLogger(__name__)


def never() -> bool:
    """Go on to the end."""
    return False


def fetch_model(
    spec: ModelSpec, folder: Path, stopping: Callable[[], bool] = never, limit_s: float = DOWNLOAD_LIMIT_S
) -> Path:
    """Download a model into `folder` and return its file; an interrupted download is taken up where it stopped.

    Given up when `stopping()` turns true or after `limit_s`. Raises ModelError that tells what to do.
    """
    address = _address(spec)
    partial = folder / f"{spec.file_name}.partial"
    _LOG.info("fetching the model %s (%.1f MB)", spec.name, spec.size_bytes / 1e6)
    ends_at_s = time.monotonic() + limit_s

    def given_up() -> bool:
        return stopping() or time.monotonic() > ends_at_s

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(partial) as file:
            _continue(address, file, round(spec.size_bytes * SIZE_SLACK), given_up)
            if sha256_of(partial) != spec.sha256:
                partial.unlink()
                raise ModelError(
                    f"What was fetched for {spec.name} is not the known file; it was deleted. Try again later."
                )
            whole = folder / spec.file_name
            settle(partial, whole)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ModelError(
            f"The model {spec.name} could not be fetched ({_reason(error)}). Without internet, put {spec.file_name} "
            f"into {folder} or set MARENGOCAM_MODELS_DIR to a folder that holds it."
        ) from error
    return whole


def sha256_of(file: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _address(spec: ModelSpec) -> str:
    mirror = os.environ.get(BASE_VARIABLE)
    if mirror:
        return f"{mirror.rstrip('/')}/{spec.file_name}"
    if spec.url is None:
        raise ModelError(f"{spec.name} cannot be fetched: put {spec.file_name} into MARENGOCAM_MODELS_DIR yourself.")
    return spec.url


@contextlib.contextmanager
def _alone(partial: Path) -> Iterator[IO[bytes]]:
    """Lend the growing file to one process at a time."""
    with partial.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError("another process is fetching it now") from None
        yield file


def _continue(address: str, file: IO[bytes], limit_bytes: int, given_up: Callable[[], bool]) -> None:
    have = os.fstat(file.fileno()).st_size
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 - https
    try:
        answer = urllib.request.urlopen(request, timeout=CONNECT_TIMEOUT_S)  # noqa: S310 - pinned addresses, verified
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # it is whole already
        raise
    with answer:
        if answer.status != http.client.PARTIAL_CONTENT:
            file.truncate(0)
            have = 0
        promised = answer.headers.get("Content-Length")
        got = 0
        while block := answer.read(BLOCK_BYTES):
            file.write(block)
            got += len(block)
            if have + got > limit_bytes:
                file.truncate(0)
                raise OSError("it is larger than it should be")
            if given_up():
                raise OSError("it took too long; the rest is fetched next time")
        file.flush()
    if promised is not None and got < int(promised):
        raise OSError("the connection broke; the rest is fetched next time")


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None)
    return str(reason or error or type(error).__name__)
