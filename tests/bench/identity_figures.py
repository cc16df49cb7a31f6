"""How good decisions were: identity F1, names right and wrong, merges, splits, and whether probabilities hold."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import lap
import numpy as np

BINS = 10


@dataclass(frozen=True, slots=True)
class Decided:
    """One track: who it was, what was decided, how long it was seen."""

    who: str
    identity_id: UUID
    name: str | None
    probability: float
    seconds: float


def identity_f1(decided: Sequence[Decided]) -> dict[str, float]:
    """Return IDF1, IDP and IDR over all cameras together (Ristani and others, 2016), weighed by seconds seen.

    Every second of a track is a detection of the true individual and of the decided one; the one-to-one assignment of
    individuals that explains most seconds counts.
    """
    people = sorted({one.who for one in decided})
    found = sorted({_individual(one) for one in decided})
    seconds = np.zeros((len(people), len(found)))
    for one in decided:
        seconds[people.index(one.who), found.index(_individual(one))] += one.seconds
    _, column_of_row, _ = lap.lapjv(seconds.max() - seconds, extend_cost=True)
    explained = sum(float(seconds[row, column]) for row, column in enumerate(column_of_row) if column >= 0)
    total = float(seconds.sum())
    precision = recall = explained / total if total else 0.0
    return {
        "idf1": round(2 * explained / (2 * total), 3) if total else 0.0,
        "idp": round(precision, 3),
        "idr": round(recall, 3),
    }


def names(decided: Sequence[Decided], enrolled: set[str]) -> dict[str, Any]:
    """Return how many tracks of enrolled people were named, and how many names were wrong."""
    named = [one for one in decided if one.name is not None]
    wrong = [one for one in named if one.name != one.who]
    wanted = [one for one in decided if one.who in enrolled]
    right = len(named) - len(wrong)
    return {
        "named": len(named),
        "wrong_names": len(wrong),
        "precision": round(right / len(named), 4) if named else None,
        "recall": round(right / len(wanted), 3) if wanted else None,
    }


def mixed_and_torn(decided: Sequence[Decided]) -> dict[str, int]:
    """Return how many individuals hold tracks of several people, and into how many individuals too many people fell."""
    owners: dict[str, Counter[str]] = defaultdict(Counter)
    homes: dict[str, set[str]] = defaultdict(set)
    for one in decided:
        owners[_individual(one)][one.who] += 1
        homes[one.who].add(_individual(one))
    return {
        "merges": sum(len(own) - 1 for own in owners.values()),
        "splits": sum(len(own) - 1 for own in homes.values()),
    }


def calibration(decided: Sequence[Decided]) -> dict[str, Any]:
    """Return Brier score, expected calibration error and reliability table of the probabilities of names."""
    pairs = [(one.probability, float(one.name == one.who)) for one in decided if one.name is not None]
    if not pairs:
        return {"brier": None, "ece": None, "reliability": []}
    told, right = np.array(pairs).T
    places = np.minimum((told * BINS).astype(int), BINS - 1)
    table, error = [], 0.0
    for place in range(BINS):
        chosen = places == place
        if chosen.any():
            told_mean, right_mean = float(told[chosen].mean()), float(right[chosen].mean())
            error += float(chosen.mean()) * abs(told_mean - right_mean)
            table.append({"told": round(told_mean, 3), "right": round(right_mean, 3), "tracks": int(chosen.sum())})
    return {"brier": round(float(((told - right) ** 2).mean()), 4), "ece": round(error, 4), "reliability": table}


def all_figures(decided: Sequence[Decided], enrolled: set[str]) -> Mapping[str, Any]:
    return {
        "tracks": len(decided), **identity_f1(decided), **names(decided, enrolled), **mixed_and_torn(decided),
        **calibration(decided),
    }  # fmt: skip


def _individual(one: Decided) -> str:
    return one.name or str(one.identity_id)
