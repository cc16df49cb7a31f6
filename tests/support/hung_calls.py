"""Calls that hang as a driver's do: without the interpreter's lock, until they are let go."""

import threading
from collections.abc import Sequence

import numpy as np

from marengocam.core.model import Detection, Embedding
from marengocam.vision.appearance import ColourTexture
from tests.support.squares import SquareDetector


class Hang:
    """Holds every call while it is on."""

    def __init__(self, *, on: bool = False) -> None:
        self._free = threading.Event()
        self.held = threading.Event()  # a call hangs, or has hung
        self.answered = 0
        if not on:
            self.let_go()

    def begin(self) -> None:
        self._free.clear()

    def let_go(self) -> None:
        self._free.set()

    def pass_through(self) -> None:
        if not self._free.is_set():
            self.held.set()
        self._free.wait()
        self.answered += 1


class HangingDetector(SquareDetector):
    """Calls bright squares persons, when it answers."""

    def __init__(self, hang: Hang) -> None:
        self._hang = hang

    def detect(self, pictures: Sequence[np.ndarray], min_score: float) -> list[list[Detection]]:
        self._hang.pass_through()
        return super().detect(pictures, min_score)


class HangingEncoder(ColourTexture):
    """Colours and textures, when it answers."""

    def __init__(self, hang: Hang) -> None:
        self._hang = hang

    def encode(self, crops: Sequence[np.ndarray]) -> list[Embedding]:
        self._hang.pass_through()
        return super().encode(crops)
