"""One piece of evidence: how much likelier an observation is if two sights are one individual."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import exp, log
from typing import Any


class CueKind(StrEnum):
    """Where a log-likelihood ratio comes from."""

    FACE = "face"
    NAME = "name"
    APPEARANCE = "appearance"
    CONTINUATION = "continuation"
    SAME_PLACE = "same_place"
    TRANSIT = "transit"
    ELSEWHERE = "elsewhere"
    STAY = "stay"
    PAST_FACES = "past_faces"
    PAST_APPEARANCE = "past_appearance"
    WAY = "way"


RECOGNITION = frozenset({CueKind.FACE, CueKind.NAME, CueKind.APPEARANCE})
LINKS = RECOGNITION | {CueKind.CONTINUATION, CueKind.SAME_PLACE}


@dataclass(frozen=True, slots=True)
class Cue:
    """A log-likelihood ratio (natural logarithm) with what an owner may want to know about it."""

    kind: CueKind
    log_ratio: float
    detail: Mapping[str, Any] = field(default_factory=dict)
    trust: float = 1.0  # how sure it is that what was compared with belongs to the candidate
    held: float | None = None  # the same of all that it was compared with, each as far as it is like it


def clamp(value: float, low: float, high: float) -> float:
    """Return `value` kept between `low` and `high`."""
    if value < low:
        return low
    return min(value, high)


def log_sum_exp(values: Iterable[float]) -> float:
    """Return log(sum(exp(v))) without overflow; `values` must not be empty."""
    listed = list(values)
    if len(listed) == 1:
        return listed[0]
    top = max(listed)
    return top + log(sum(exp(value - top) for value in listed))


def best(cues: Iterable[Cue], kinds: frozenset[CueKind]) -> Cue | None:
    """Return the strongest cue of these kinds that speaks for the candidate, or None."""
    speaking = [cue for cue in cues if cue.kind in kinds and cue.log_ratio > 0]
    return max(speaking, key=lambda cue: cue.log_ratio, default=None)
