"""A network on CUDA, launched as a whole instead of layer by layer."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marengocam.vision.detectors.stepping import is_out_of_memory

WARM_UPS = 2  # in which CUDA's libraries choose their ways and take their workspaces
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Recorded:
    graph: Any
    given: Any
    answers: Any
    kept: tuple[Any, ...]  # what the graph reads that the network may let go of


class RecordedLaunches:
    """Records `work` once for each shape of a batch (a CUDA graph), and replays it from then on.

    Layer by layer Python needs 8 ms for a batch of any size, under the lock that all cameras' threads share. `keep`
    returns the tensors that `work` has laid by for the shape it saw last. One call at a time, all in one thread.
    """

    def __init__(self, torch: Any, work: Callable[[Any], Any], keep: Callable[[], tuple[Any, ...]]) -> None:
        self._torch = torch
        self._work = work
        self._keep = keep
        self._recorded: dict[tuple[int, ...], _Recorded] = {}
        self._pool: Any = None
        self._cannot = False

    def __call__(self, batch: Any) -> Any:
        """Return what `work` makes of a tensor on the card; good until the next call."""
        if self._cannot:
            return self._work(batch)
        shape = tuple(batch.shape)
        if shape not in self._recorded:
            try:
                self._recorded[shape] = self._record(batch)
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise
                _LOG.warning("CUDA cannot record the detector's network here, which is slower without: %s", error)
                self._cannot = True
                return self._work(batch)
        recorded = self._recorded[shape]
        recorded.given.copy_(batch)
        recorded.graph.replay()
        return recorded.answers

    def _record(self, batch: Any) -> _Recorded:
        torch = self._torch
        given = batch.clone()
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(WARM_UPS):
                self._work(given)
        torch.cuda.current_stream().wait_stream(beside)
        kept = self._keep()
        graph = torch.cuda.CUDAGraph()
        # One pool for all: each answer is fetched before the next is made.
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            answers = self._work(given)
        self._pool = graph.pool()
        return _Recorded(graph, given, answers, kept)
