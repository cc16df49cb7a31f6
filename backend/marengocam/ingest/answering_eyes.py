"""Detector and appearance encoder that nobody waits for longer than a limit: a camera goes on without them."""

from collections.abc import Callable, Sequence

from marengocam.core.model import Detection, Embedding
from marengocam.vision.answering import ANSWER_LIMIT_S, Answering, Words
from marengocam.vision.appearance import AppearanceEncoder
from marengocam.vision.crops import Picture
from marengocam.vision.detectors import Detector

BLIND = (
    f"The detector gave no answer for {ANSWER_LIMIT_S} s: only movement is noticed. Recording goes on. Restart ingest; "
    "if it happens again, update the driver of the GPU or choose another `detector`."
)
LOADED_ANEW = (
    f"The detector gave no answer for {ANSWER_LIMIT_S} s and was loaded anew. The call that hangs keeps its memory: "
    "restart ingest when it suits you."
)
ON_CPU = (
    f"The GPU gave no answer for {ANSWER_LIMIT_S} s: the processor looks instead, slower. "
    "Update the GPU's driver if it happens again, and restart ingest."
)
NO_APPEARANCE = (
    f"The appearance model gave no answer for {ANSWER_LIMIT_S} s: people are followed without their appearance. "
    "Recording goes on. Restart ingest."
)
APPEARANCE_FAILS = (
    "The appearance model fails again and again: people are followed without their appearance. Recording goes on. See "
    "the log of ingest; fetch the model anew (`marengocam models fetch`) or choose another."
)
FAILURES_TOLD = 10  # in succession, until which it may pass
APPEARANCE_ANEW = (
    f"The appearance model gave no answer for {ANSWER_LIMIT_S} s and was loaded anew. The call that hangs keeps its "
    "memory: restart ingest when it suits you."
)


class AnsweringDetector:
    """A detector that raises NoAnswerError instead of hanging."""

    def __init__(self, detector: Detector, make_another: Callable[[], Detector], *, on_gpu: bool) -> None:
        words = Words(BLIND, ON_CPU if on_gpu else LOADED_ANEW, for_good=on_gpu)
        self._asked = Answering(detector, make_another, words)
        self._name = detector.name

    @property
    def name(self) -> str:
        detector = self._asked.thing
        if detector is not None:
            self._name = detector.name
        return self._name

    @property
    def answers(self) -> bool:
        """Whether there is one now that can look, and it does not hang."""
        detector = self._asked.thing
        return detector is not None and bool(getattr(detector, "answers", True))

    @property
    def why(self) -> str:
        """Why it is this one, where there was a choice."""
        return str(getattr(self._asked.thing, "why", ""))

    @property
    def problem(self) -> str:
        """What is wrong with it, empty while all is well."""
        return self._asked.problem

    def detect(self, pictures: Sequence[Picture], min_score: float) -> list[list[Detection]]:
        """Return the objects of each picture; raises NoAnswerError."""
        return self._asked.ask(lambda detector: detector.detect(pictures, min_score))


class AnsweringEncoder:
    """An appearance encoder that raises NoAnswerError instead of hanging."""

    def __init__(self, encoder: AppearanceEncoder, make_another: Callable[[], AppearanceEncoder]) -> None:
        self._asked = Answering(encoder, make_another, Words(NO_APPEARANCE, APPEARANCE_ANEW))
        self._model = encoder.model
        self._failures = 0  # in succession, of all cameras: near enough without a lock

    @property
    def model(self) -> str:
        encoder = self._asked.thing
        if encoder is not None:
            self._model = encoder.model
        return self._model

    @property
    def problem(self) -> str:
        """What is wrong with it, empty while all is well."""
        return self._asked.problem or (APPEARANCE_FAILS if self._failures >= FAILURES_TOLD else "")

    def encode(self, crops: Sequence[Picture]) -> list[Embedding]:
        """Return one embedding per picture; raises NoAnswerError, and what the model raises."""
        try:
            found = self._asked.ask(lambda encoder: encoder.encode(crops))
        except Exception:
            self._failures += 1
            raise
        self._failures = 0
        return found
