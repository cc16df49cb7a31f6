"""Fetching a model from its upstream: resumed, limited, verified before it gets its name."""

import http.client
import logging
import os
import urllib.error
import urllib.request
from pathlib import Path

from marengocam.core.errors import ModelError
from marengocam.vision.models.registry import ModelSpec

CONNECT_TIMEOUT_S = 5.0
BLOCK_BYTES = 1 << 18
SIZE_SLACK = 1.05  # of the known size: more is not the file
BASE_VARIABLE = "MARENGOCAM_MODELS_MIRROR"  # an owner's own mirror: its folder holds the files by name
_LOG = logging.getLogger(__name__)


def fetch_model(spec: ModelSpec, folder: Path) -> Path:
    """Download a model into `folder` and return its file; an interrupted download is taken up where it stopped.

    Raises ModelError that tells what to do.
    """
    address = _address(spec)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{spec.file_name}.partial"
    _LOG.info("fetching the model %s (%.1f MB)", spec.name, spec.size_bytes / 1e6)
    try:
        _continue(address, partial, round(spec.size_bytes * SIZE_SLACK))
    except (OSError, http.client.HTTPException, urllib.error.URLError) as error:
        raise ModelError(
            f"The model {spec.name} could not be fetched ({_reason(error)}). Without internet, put {spec.file_name} "
            f"into {folder} or set MARENGOCAM_MODELS_DIR to a folder that holds it."
        ) from error
    from marengocam.vision.models.finder import sha256_of  # noqa: PLC0415 - the finder imports this module

    if sha256_of(partial) != spec.sha256:
        partial.unlink()
        raise ModelError(f"What was fetched for {spec.name} is not the known file; it was deleted. Try again later.")
    file = folder / spec.file_name
    partial.replace(file)
    return file


def _address(spec: ModelSpec) -> str:
    mirror = os.environ.get(BASE_VARIABLE)
    if mirror:
        return f"{mirror.rstrip('/')}/{spec.file_name}"
    if spec.url is None:
        raise ModelError(f"{spec.name} cannot be fetched: put {spec.file_name} into MARENGOCAM_MODELS_DIR yourself.")
    return spec.url


def _continue(address: str, partial: Path, limit_bytes: int) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 - https
    try:
        answer = urllib.request.urlopen(request, timeout=CONNECT_TIMEOUT_S)  # noqa: S310 - pinned addresses, verified
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # it is whole already
        raise
    with answer, partial.open("ab" if answer.status == http.client.PARTIAL_CONTENT else "wb") as file:
        while block := answer.read(BLOCK_BYTES):
            file.write(block)
            if file.tell() > limit_bytes:
                raise OSError("it is larger than it should be")
        promised = answer.headers.get("Content-Length")
    if promised is not None and answer.status == http.client.OK and partial.stat().st_size < int(promised):
        raise OSError("the connection broke; the rest is fetched next time")


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None)
    return str(reason or error or type(error).__name__)
