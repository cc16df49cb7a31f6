"""Native code that may hang (a driver, OpenVINO), asked so that whoever asks is let go in time.

A thread that hangs in native code cannot be ended, only left behind. This holds while the hung call has let go of the
interpreter's lock, as such code does; one that keeps it stops every thread, and only the watchdog is left.
"""

import faulthandler
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from marengocam.core.errors import NoAnswerError

# The slowest call that is no hang compiles a network for a picture of a new shape, which takes seconds. It is below the
# watchdog's patience (15 s), with room for what else the look took before.
ANSWER_LIMIT_S = 10
WAIT_STEP_S = 1.0  # counted in steps: time in which the whole process stood still is one step at most
MAX_HUNG = 1  # so many may keep their memory beside the one that answers
_LOG = logging.getLogger(__name__)
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Words:
    """What is told of something that hangs."""

    gone: str  # while nothing answers in its place
    replaced: str  # while another answers, and it still hangs
    for_good: bool = False  # `replaced` is told also when it has come back, since another kind answers now


@dataclass(eq=False, slots=True)
class _Call:
    asked: Any
    work: Callable[[Any], Any]
    answered: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: Exception | None = None


class Answering(Generic[T]):
    """Lends `thing` to any number of threads, in threads of its own; another takes its place when it hangs.

    No more are made while more than MAX_HUNG hang. What comes late is dropped, and makes room for another.
    """

    def __init__(self, thing: T, make_another: Callable[[], T], words: Words) -> None:
        self.thing: T | None = thing
        self._make_another = make_another
        self._words = words
        self._lock = threading.Lock()
        self._waited_for: set[_Call] = set()
        self._hung: set[_Call] = set()
        self._idle: list[queue.SimpleQueue[_Call]] = []  # threads without work, by what they are told through
        self._making = False
        self._replaced = False

    @property
    def problem(self) -> str:
        """What is wrong, and what to do; empty while all is well."""
        thing = self.thing
        if thing is None:
            return self._words.gone
        if self._replaced and (self._hung or self._words.for_good):
            return self._words.replaced
        return str(getattr(thing, "problem", ""))

    def ask(self, work: Callable[[T], R]) -> R:
        """Return what `work` makes of the thing; raises what that raises, or NoAnswerError."""
        with self._lock:
            if self.thing is None:
                raise NoAnswerError(self._words.gone)
            call = _Call(self.thing, work)
            self._waited_for.add(call)
            (self._idle.pop() if self._idle else self._new_thread()).put(call)
        if not any(call.answered.wait(WAIT_STEP_S) for _ in range(round(ANSWER_LIMIT_S / WAIT_STEP_S))):
            self._give_up(call)
        if call.error is not None:
            raise call.error
        result: R = call.result
        return result

    def _new_thread(self) -> "queue.SimpleQueue[_Call]":
        calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        threading.Thread(target=self._work, args=(calls,), name="native calls", daemon=True).start()
        return calls

    def _work(self, calls: "queue.SimpleQueue[_Call]") -> None:
        while self._answer(calls.get()):  # what was asked is not kept while there is nothing to do
            with self._lock:
                self._idle.append(calls)

    def _answer(self, call: _Call) -> bool:
        """Make a call; return whether somebody still waited for it."""
        result, failure = None, None
        try:
            result = call.work(call.asked)
        except Exception as error:  # noqa: BLE001 - raised in the thread that asked
            failure = error
        with self._lock:
            if call in self._waited_for:
                self._waited_for.remove(call)
                call.result, call.error = result, failure
                call.answered.set()
                return True
            self._hung.discard(call)
            _LOG.warning("an answer came too late and is dropped")
            if self.thing is None:
                self._replace()
            return False

    def _give_up(self, call: _Call) -> None:
        """Let go of the thing for good, and of all who wait for it."""
        with self._lock:
            if call.answered.is_set():
                return
            for one in self._waited_for:
                one.error = NoAnswerError(self._words.gone)
                one.answered.set()
            self._hung |= self._waited_for
            self._waited_for.clear()
            self.thing = None
            self._replace()
        _LOG.error("no answer for %d s: %s", ANSWER_LIMIT_S, self._words.gone)
        faulthandler.dump_traceback(all_threads=True)

    def _replace(self) -> None:
        """Have another made beside all work, unless too many hang; called under the lock."""
        if self._making or len({id(call.asked) for call in self._hung}) > MAX_HUNG:
            return
        self._making = True
        threading.Thread(target=self._make, name="load another model", daemon=True).start()

    def _make(self) -> None:
        another = None
        try:
            another = self._make_another()
        except Exception:  # noqa: BLE001 - then there is none; it is logged
            _LOG.exception("nothing could be loaded in place of what hangs")
        with self._lock:
            self._making, self._replaced, self.thing = False, True, another
        if another is not None:
            _LOG.warning("%s", self._words.replaced)
