"""Put on PYTHONPATH, it lets a test hang a real service from outside, by signal.

SIGUSR1: the main thread stands in a C call that holds the interpreter's lock.
SIGUSR2: so does a thread beside it.
SIGWINCH: the main thread waits in C without the lock, as for a GPU or a disk that never answers.
SIGURG: so does the next call of OpenCV's detector, and only that one.
"""

import ctypes
import signal
import threading
import time

HANG_S = 600


def _hold_the_lock(*_) -> None:
    ctypes.PyDLL(None).sleep(HANG_S)


def _hold_it_beside(*_) -> None:
    threading.Thread(target=_hold_the_lock, name="a stuck worker", daemon=True).start()


def _wait_in_c(*_) -> None:
    time.sleep(HANG_S)


def _hang_a_look(*_) -> None:
    from marengocam.vision.detectors.hog import HogDetector  # noqa: PLC0415 - not before the service has it

    answers = HogDetector.detect

    def hangs(*_) -> None:
        HogDetector.detect = answers
        ctypes.CDLL(None).sleep(HANG_S)

    HogDetector.detect = hangs


signal.signal(signal.SIGURG, _hang_a_look)
signal.signal(signal.SIGUSR1, _hold_the_lock)
signal.signal(signal.SIGUSR2, _hold_it_beside)
signal.signal(signal.SIGWINCH, _wait_in_c)
