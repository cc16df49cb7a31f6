"""The reasons for a decision as JSON: see docs/design/identity.md."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marengocam.core.identity import KnownPerson
from marengocam.core.model import LocalTrack
from marengocam.resolver.decision import Verdict
from marengocam.resolver.hypothesis import Hypothesis

NEW = "new"


def evidence_of(track: LocalTrack, verdict: Verdict, names: Mapping[UUID, KnownPerson]) -> dict[str, Any]:
    """Return what is stored with the assignment and sent with events."""
    return {
        "cues": [
            {"cue": str(cue.kind), "log_ratio": round(cue.log_ratio, 3), "detail": dict(cue.detail)}
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


def _who(one: Hypothesis, names: Mapping[UUID, KnownPerson]) -> dict[str, Any]:
    log_odds = round(one.log_odds, 3)
    if one.person_id is not None:
        person = names.get(one.person_id)
        return {"person_id": str(one.person_id), "name": person.name if person else None, "log_odds": log_odds}
    if one.identity_id is not None:
        return {"identity_id": str(one.identity_id), "name": None, "log_odds": log_odds}
    return {"identity_id": NEW, "name": None, "log_odds": log_odds}
