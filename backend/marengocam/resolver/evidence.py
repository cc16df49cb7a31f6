"""The reasons for a decision as JSON: see docs/design/identity.md."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marengocam.core.identity import KnownPerson, Surroundings
from marengocam.core.model import LocalTrack
from marengocam.resolver.cues import Cue
from marengocam.resolver.decision import Verdict
from marengocam.resolver.hypothesis import Hypothesis
from marengocam.resolver.likest import KINDS

NEW = "new"


def evidence_of(
    track: LocalTrack, verdict: Verdict, surroundings: Surroundings, names: Mapping[UUID, KnownPerson]
) -> dict[str, Any]:
    """Return what is stored with the assignment and sent with events."""
    return {
        "cues": [
            {
                "cue": str(cue.kind),
                "log_ratio": round(cue.log_ratio, 3),
                "detail": {**cue.detail, **_compared(cue, verdict.chosen, surroundings)},
            }
            for cue in verdict.chosen.cues
        ],
        "prior": round(verdict.chosen.prior, 3),
        "probability": round(verdict.probability, 5),
        "margin": round(verdict.margin, 3),
        "runner_up": _who(verdict.runner_up, names) if verdict.runner_up else None,
        "recognition": round(verdict.recognition, 3),
        "trust": round(verdict.trust, 5),
        "face_engine_ok": track.face_engine_ok,
    }


def _compared(cue: Cue, chosen: Hypothesis, surroundings: Surroundings) -> Mapping[str, Any]:
    """Return which looks of two unknown were compared that are found to be one."""
    if chosen.joins is None or cue.kind not in KINDS:
        return {}
    assert chosen.identity_id is not None
    return surroundings.likest(cue.kind, chosen.joins, chosen.identity_id, visiting=chosen.visiting)


def _who(one: Hypothesis, names: Mapping[UUID, KnownPerson]) -> dict[str, Any]:
    log_odds = round(one.log_odds, 3)
    if one.person_id is not None:
        person = names.get(one.person_id)
        return {"person_id": str(one.person_id), "name": person.name if person else None, "log_odds": log_odds}
    if one.identity_id is not None:
        return {"identity_id": str(one.identity_id), "name": None, "log_odds": log_odds}
    return {"identity_id": NEW, "name": None, "log_odds": log_odds}
