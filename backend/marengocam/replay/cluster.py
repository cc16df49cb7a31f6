"""The same work units on several machines: Dask hands them out, notices lost workers and gives their units to others.

The media folder must be reachable under the same path on every worker, and code and models must be the same.
"""

import contextlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from marengocam.core.errors import BadInputError, MarengoCamError
from marengocam.replay.analysis import UnitJob, analyse_unit, unit_inputs
from marengocam.replay.control import Control
from marengocam.replay.eyes import Eyes, load_eyes
from marengocam.replay.findings import UnitFindings
from marengocam.replay.politeness import THREADS, be_polite
from marengocam.replay.run import Units, one_after_another
from marengocam.settings import Settings

if TYPE_CHECKING:
    from distributed import Client

CONNECT_LIMIT_S = 10.0
LOOK_EVERY_S = 0.5
RETRIES = 2  # of a unit whose worker died
MOST_WORKERS = 64


@contextlib.contextmanager
def units_on(scheduler: str | None, workers: int) -> Iterator[Units]:
    """Lend what analyses units: this process, so many local workers, or those of a Dask scheduler.

    Raises BadInputError when Dask is not installed or the scheduler does not answer.
    """
    if scheduler is None and workers == 0:
        yield one_after_another
        return
    if not 0 <= workers <= MOST_WORKERS:
        raise BadInputError(f"--workers takes a number from 1 to {MOST_WORKERS}.")
    if importlib.util.find_spec("distributed") is None:
        raise BadInputError("Several workers need Dask: pip install 'marengocam[cluster]'.")
    with _client(scheduler, workers) as client:
        yield lambda jobs, eyes, control, done: _on_workers(client, jobs, eyes, control, done)


@contextlib.contextmanager
def _client(scheduler: str | None, workers: int) -> Iterator["Client"]:
    from distributed import Client, LocalCluster  # noqa: PLC0415 - an extra

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=CONNECT_LIMIT_S)
        except (OSError, TimeoutError) as error:
            raise BadInputError(f"No Dask scheduler answers at {scheduler}: {error}.") from None
        with client:
            yield client
        return
    os.environ.update(THREADS)
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None, processes=True) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _on_workers(
    client: "Client", jobs: Sequence[UnitJob], eyes: Eyes, control: Control, done: Callable[[UnitFindings], None]
) -> None:
    from distributed import as_completed  # noqa: PLC0415 - an extra

    futures = client.map(_unit_on_worker, jobs, pure=False, retries=RETRIES)
    expected = {job.unit.number: unit_inputs(job, eyes) for job in jobs}
    try:
        for future in as_completed(futures):
            findings: UnitFindings = UnitFindings.from_bytes(_result(future))
            control.before(findings.from_at)
            if findings.inputs != expected[findings.number]:
                raise MarengoCamError(
                    "A worker has other code, models or video than this machine, so its results cannot be put "
                    "together with the others: install the same version and models on all of them."
                )
            done(findings)
    finally:
        client.cancel(futures)


def _result(future: Any) -> bytes:
    try:
        return bytes(future.result())
    except MarengoCamError:
        raise
    except Exception as error:
        raise MarengoCamError(f"A worker could not analyse its unit: {type(error).__name__}: {error}.") from error


def _unit_on_worker(job: UnitJob) -> bytes:
    be_polite()
    eyes = _worker_eyes(job.settings, tuple(sorted(job.overrides.items())))
    return analyse_unit(job, eyes).to_bytes()


@cache
def _worker_eyes(settings: Settings, overrides: tuple[tuple[str, str], ...]) -> Eyes:
    return load_eyes(settings, dict(overrides))
