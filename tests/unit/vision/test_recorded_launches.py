"""CUDA graphs of the detector's network; there is no card here, so torch's part is stood in for by what it is asked."""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

from marengocam.vision.detectors.recorded_launches import WARM_UPS, RecordedLaunches


class Tensor:
    """As much of a tensor as is used."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values.copy()

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def clone(self) -> "Tensor":
        return Tensor(self.values)

    def copy_(self, other: "Tensor") -> None:
        self.values[...] = other.values


class Card:
    """Records what is done while a graph is open, and does it again on the same tensors when it is replayed."""

    def __init__(self, refuses: Exception | None = None) -> None:
        self.refuses = refuses
        self.done: list[object] = []
        self.recording = False
        stream = SimpleNamespace(wait_stream=lambda other: None)
        self.cuda = SimpleNamespace(
            Stream=lambda: stream,
            current_stream=lambda: stream,
            stream=self.beside,
            CUDAGraph=lambda: SimpleNamespace(replay=None, pool=lambda: "pool"),
            graph=self.graph,
        )

    @contextmanager
    def beside(self, _stream):
        yield

    @contextmanager
    def graph(self, graph, pool, capture_error_mode):
        if self.refuses:
            raise self.refuses
        self.recording, self.done = True, []
        yield
        self.recording, done = False, self.done
        graph.replay = lambda: [again() for again in done]


class Network:
    def __init__(self, card: Card) -> None:
        self.card = card
        self.calls = 0

    def __call__(self, batch: Tensor) -> Tensor:
        self.calls += 1
        answer = Tensor(batch.values * 2)
        if self.card.recording:
            self.card.done.append(lambda: answer.copy_(Tensor(batch.values * 2)))
        return answer


def test_each_shape_is_recorded_once_and_its_answers_are_of_what_was_given_last():
    card = Card()
    network = Network(card)
    launches = RecordedLaunches(card, network, tuple)
    for number in (1, 2, 3):
        for rows in (1, 4):
            assert (launches(Tensor(np.full(rows, number))).values == 2 * number).all()
    assert network.calls == 2 * (WARM_UPS + 1)


def test_too_little_memory_is_for_who_asked_and_the_next_try_records():
    card = Card(RuntimeError("CUDA out of memory"))
    launches = RecordedLaunches(card, Network(card), tuple)
    with pytest.raises(RuntimeError, match="out of memory"):
        launches(Tensor(np.ones(2)))
    card.refuses = None
    assert launches(Tensor(np.ones(2))).values.tolist() == [2, 2]


def test_a_card_that_cannot_record_is_asked_layer_by_layer():
    card = Card(RuntimeError("operation not permitted when stream is capturing"))
    network = Network(card)
    launches = RecordedLaunches(card, network, tuple)
    for _ in range(2):
        assert launches(Tensor(np.ones(2))).values.tolist() == [2, 2]
    assert network.calls == WARM_UPS + 2
