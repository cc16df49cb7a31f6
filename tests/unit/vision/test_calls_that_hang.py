"""Native calls that hang: whoever asked is let go, another takes their place, what comes late is dropped."""

import gc
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.support.hung_calls import Hang, HangingDetector
from tests.support.squares import SquareDetector

from marengocam.core.errors import ModelError
from marengocam.vision import answering
from marengocam.vision.answering import Answering, Words
from marengocam.vision.detectors.batching import BatchingDetector

LIMIT_S, STEP_S = 0.5, 0.1
WAIT_S = 20.0
WORDS = Words("gone", "replaced")
PICTURE = np.full((90, 160, 3), 230, np.uint8)


class Thing:
    """Answers with its number, when it answers."""

    def __init__(self, number: int, hang: Hang) -> None:
        self.number = number
        self._hang = hang

    def answer(self) -> int:
        self._hang.pass_through()
        return self.number


class Things:
    """Makes one after the other, each with a hang of its own."""

    def __init__(self) -> None:
        self.hangs: list[Hang] = []
        self.made: list[weakref.ref[Thing]] = []

    def make(self) -> Thing:
        self.hangs.append(Hang())
        thing = Thing(len(self.hangs), self.hangs[-1])
        self.made.append(weakref.ref(thing))
        return thing


@pytest.fixture(autouse=True)
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "ANSWER_LIMIT_S", LIMIT_S)
    monkeypatch.setattr(answering, "WAIT_STEP_S", STEP_S)


@pytest.fixture
def things() -> Iterator[Things]:
    made = Things()
    yield made
    for hang in made.hangs:
        hang.let_go()


def until(condition: Callable[[], bool]) -> None:
    turn = threading.Event()
    for _ in range(round(WAIT_S / 0.02)):
        if condition():
            return
        turn.wait(0.02)
    raise AssertionError("it did not come")


def ask(asked: Answering[Thing]) -> int:
    return asked.ask(Thing.answer)


def test_all_who_wait_are_let_go_and_another_answers(things: Things) -> None:
    asked = Answering(things.make(), things.make, WORDS)
    assert (ask(asked), asked.problem) == (1, "")
    things.hangs[0].begin()
    with ThreadPoolExecutor(4) as cameras:
        asking = [cameras.submit(ask, asked) for _ in range(4)]
        assert {str(one.exception()) for one in asking} == {"gone"}
    until(lambda: asked.thing is not None)
    assert (ask(asked), asked.problem) == (2, "replaced")


def test_a_late_answer_is_dropped_and_what_hung_is_not_kept(things: Things) -> None:
    asked = Answering(things.make(), things.make, WORDS)
    things.hangs[0].begin()
    with pytest.raises(ModelError, match="gone"):
        ask(asked)
    until(lambda: asked.thing is not None)
    assert things.made[0]() is not None, "the call that hangs keeps it"
    things.hangs[0].let_go()
    until(lambda: asked.problem == "")
    until(lambda: gc.collect() >= 0 and things.made[0]() is None)
    assert ask(asked) == 2


def test_no_more_than_two_are_kept_until_one_comes_back(things: Things) -> None:
    asked = Answering(things.make(), things.make, WORDS)
    for number in (0, 1):
        until(lambda: asked.thing is not None)
        things.hangs[number].begin()
        with pytest.raises(ModelError, match="gone"):
            ask(asked)
    for _ in range(3):
        with pytest.raises(ModelError, match="gone"):
            ask(asked)
    assert (len(things.hangs), asked.problem) == (2, "gone")
    things.hangs[0].let_go()
    until(lambda: asked.thing is not None)
    assert (ask(asked), len(things.hangs), asked.problem) == (3, 3, "replaced")


def test_another_kind_is_told_also_when_what_hung_has_come_back(things: Things) -> None:
    asked = Answering(things.make(), things.make, Words("gone", "replaced", for_good=True))
    things.hangs[0].begin()
    with pytest.raises(ModelError):
        ask(asked)
    until(lambda: asked.thing is not None)
    things.hangs[0].let_go()
    until(lambda: things.hangs[0].answered == 1)
    assert (ask(asked), asked.problem) == (2, "replaced")


def test_where_another_cannot_be_loaded_nothing_answers(things: Things, caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> Thing:
        raise ModelError("The file is gone.")

    asked = Answering(things.make(), fails, WORDS)
    things.hangs[0].begin()
    with pytest.raises(ModelError):
        ask(asked)
    until(lambda: "The file is gone." in caplog.text)
    with pytest.raises(ModelError, match="gone"):
        ask(asked)
    assert asked.problem == "gone"


def test_errors_are_raised_where_they_were_asked_for() -> None:
    class Broken:
        def answer(self) -> int:
            raise ZeroDivisionError

    asked = Answering(Broken(), Broken, WORDS)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            asked.ask(Broken.answer)
    assert asked.problem == ""


def test_cameras_of_one_batch_are_let_go_together() -> None:
    hang = Hang(on=True)
    asked = Answering(BatchingDetector(HangingDetector(hang)), lambda: BatchingDetector(SquareDetector()), WORDS)

    def look(_: int) -> list:
        return asked.ask(lambda detector: detector.detect([PICTURE], 0.4))

    with ThreadPoolExecutor(6) as cameras:
        errors = [one.exception() for one in [cameras.submit(look, number) for number in range(6)]]
        assert {str(error) for error in errors} == {"gone"}
        until(lambda: asked.thing is not None)
        assert [len(found[0]) for found in cameras.map(look, range(6))] == [1] * 6
    hang.let_go()


ENDS = """
import ctypes
from marengocam.core.errors import ModelError
from marengocam.vision import answering
answering.ANSWER_LIMIT_S = 1
asked = answering.Answering(ctypes.CDLL(None), lambda: None, answering.Words("gone", "replaced"))
try:
    asked.ask(lambda library: library.sleep(600))
except ModelError as error:
    print(error)
"""


def test_a_process_ends_although_a_call_hangs() -> None:
    done = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "gone\n"
    assert "<string>" in done.stderr, "where it hangs is told"


IS_FROZEN = """
import time
from marengocam.vision import answering
answering.ANSWER_LIMIT_S, answering.WAIT_STEP_S = 2, 0.2
asked = answering.Answering(time, lambda: None, answering.Words("gone", "replaced"))
asked.ask(lambda _: [print(number, flush=True) or time.sleep(0.1) for number in range(10)])
"""


def test_a_process_that_was_frozen_while_it_asked_has_its_answer() -> None:
    with subprocess.Popen([sys.executable, "-c", IS_FROZEN], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        process.send_signal(signal.SIGSTOP)
        threading.Event().wait(3.0)  # longer than the limit
        process.send_signal(signal.SIGCONT)
        assert process.stdout.read().endswith("9\n")
    assert process.returncode == 0
