"""What faces, names and clothes say about a candidate: log-likelihood ratios from cosines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log

import numpy as np

from marengocam.core.calibration import Floats, appearance_log_ratios, face_log_ratios
from marengocam.core.identity import Likeness
from marengocam.core.model import Embedding, NameEvidence
from marengocam.resolver.cues import Cue, CueKind, clamp, log_sum_exp

BEST_LIKENESSES = 5  # of a gallery: the track need not look like every pose in it
TELLING_SHARE = 0.5  # of the best ratio: a surer exemplar nearly as alike carries the link
FACE_LIMIT = (-8.0, 14.0)
APPEARANCE_LIMIT = (-4.0, 6.0)
MOST_TRUST = 0.999
NAME_SLOPE = 15.0  # log-odds per unit of an engine's score
NAME_NEUTRAL_SCORE = 0.55
NAME_LIMIT = 6.0
NAME_OTHER_LIMIT = 3.0  # how much a name speaks against everybody else


@dataclass(frozen=True, slots=True)
class Compared:
    """One of a candidate's looks beside the track's: its log-likelihood ratio, distrusted."""

    look: Likeness
    log_ratio: float


def compared_faces(face: Embedding, likenesses: Sequence[Likeness]) -> list[Compared]:
    """Weigh all faces by the same model, of whomever, at once."""
    looks = [one for one in likenesses if one.kind == "face" and one.model == face.model]
    if not looks:
        return []
    return _distrusted(looks, face_log_ratios(face.model, *_cosines_and_qualities(looks, face.quality)))


def compared_appearances(appearance: Embedding, likenesses: Sequence[Likeness], at: datetime) -> list[Compared]:
    """Weigh clothes and build of all looks by the same model at once, fading with the seconds between the sights."""
    looks = [one for one in likenesses if one.kind == "appearance" and one.model == appearance.model]
    if not looks:
        return []
    apart_s = np.array([abs((at - one.at).total_seconds()) for one in looks])
    values = _cosines_and_qualities(looks, appearance.quality)
    return _distrusted(looks, appearance_log_ratios(appearance.model, *values, apart_s))


def face_cue(face: Embedding, compared: Sequence[Compared]) -> Cue | None:
    """Return what the track's face says of one candidate, or None when it has no face by the same model."""
    return _mixture(CueKind.FACE, compared, FACE_LIMIT, face.quality) if compared else None


def appearance_cue(appearance: Embedding, compared: Sequence[Compared]) -> Cue | None:
    """Return what the track's clothes and build say of one candidate."""
    return _mixture(CueKind.APPEARANCE, compared, APPEARANCE_LIMIT, appearance.quality) if compared else None


def name_cue(evidence: NameEvidence, name: str) -> Cue:
    """Return what a face engine without embeddings says by giving a name and its own score (0 to 1)."""
    strength = clamp(NAME_SLOPE * (evidence.score - NAME_NEUTRAL_SCORE), 0.0, NAME_LIMIT)
    same = evidence.name.strip().casefold() == name.strip().casefold()
    return Cue(
        CueKind.NAME,
        strength if same else -min(strength, NAME_OTHER_LIMIT),
        {"engine": evidence.engine, "name": evidence.name, "score": round(evidence.score, 3)},
    )


def _cosines_and_qualities(looks: Sequence[Likeness], quality: float) -> tuple[Floats, Floats]:
    """Return each comparison's cosine, and the quality of its worse picture."""
    cosines = np.array([one.cosine for one in looks])
    return cosines, np.minimum(np.array([one.quality for one in looks]), quality)


def _distrusted(looks: Sequence[Likeness], ratios: Floats) -> list[Compared]:
    """Lower each ratio by how sure it is that the look is the candidate's: log(t * e^r + 1 - t)."""
    trusts = np.clip(np.array([one.trust for one in looks]), 0.0, MOST_TRUST)
    weighed = np.log(trusts * np.exp(ratios) + 1 - trusts)
    return [Compared(look, ratio) for look, ratio in zip(looks, weighed.tolist(), strict=True)]


def _mixture(kind: CueKind, compared: Sequence[Compared], limit: tuple[float, float], quality: float) -> Cue:
    """Fuse as a mixture: the track shows one of the candidate's best-matching looks, each as likely as the next."""
    best = sorted(compared, key=lambda one: (-one.log_ratio, -one.look.cosine, one.look.at))[:BEST_LIKENESSES]
    fused = log_sum_exp([one.log_ratio for one in best]) - log(len(best))
    first, strongest = best[0].look, best[0].log_ratio
    detail = {
        "model": first.model,
        "cosine": round(first.cosine, 3),
        "quality": round(quality, 3),
        "compared": len(compared),
    }
    enough = min(TELLING_SHARE * strongest, strongest)
    return Cue(kind, clamp(fused, *limit), detail, max(one.look.trust for one in best if one.log_ratio >= enough))
