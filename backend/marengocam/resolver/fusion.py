"""What faces, names and clothes say about a candidate: log-likelihood ratios from cosines."""

from collections.abc import Sequence
from datetime import datetime
from math import log

from marengocam.core.calibration import appearance_log_ratio, face_log_ratio
from marengocam.core.identity import Likeness
from marengocam.core.model import Embedding, NameEvidence
from marengocam.resolver.cues import Cue, CueKind, clamp, log_sum_exp, with_trust

BEST_LIKENESSES = 5  # of a gallery: the track need not look like every pose in it
TELLING_SHARE = 0.5  # of the best ratio: a surer exemplar nearly as alike carries the link
FACE_LIMIT = (-8.0, 14.0)
APPEARANCE_LIMIT = (-4.0, 6.0)
NAME_SLOPE = 15.0  # log-odds per unit of an engine's score
NAME_NEUTRAL_SCORE = 0.55
NAME_LIMIT = 6.0
NAME_OTHER_LIMIT = 3.0  # how much a name speaks against everybody else


def face_cue(face: Embedding, likenesses: Sequence[Likeness]) -> Cue | None:
    """Return what the track's face says, or None when the candidate has no face by the same model."""
    comparable = [one for one in likenesses if one.kind == "face" and one.model == face.model]
    if not comparable:
        return None
    ratios = [
        with_trust(face_log_ratio(face.model, one.cosine, min(face.quality, one.quality)), one.trust)
        for one in comparable
    ]
    return _mixture(CueKind.FACE, comparable, ratios, FACE_LIMIT, face.quality)


def appearance_cue(appearance: Embedding, likenesses: Sequence[Likeness], at: datetime) -> Cue | None:
    """Return what the track's clothes and build say, fading with the seconds between the sights."""
    comparable = [one for one in likenesses if one.kind == "appearance" and one.model == appearance.model]
    if not comparable:
        return None
    ratios = [
        with_trust(
            appearance_log_ratio(
                appearance.model,
                one.cosine,
                min(appearance.quality, one.quality),
                abs((at - one.at).total_seconds()),
            ),
            one.trust,
        )
        for one in comparable
    ]
    return _mixture(CueKind.APPEARANCE, comparable, ratios, APPEARANCE_LIMIT, appearance.quality)


def name_cue(evidence: NameEvidence, name: str) -> Cue:
    """Return what a face engine without embeddings says by giving a name and its own score (0 to 1)."""
    strength = clamp(NAME_SLOPE * (evidence.score - NAME_NEUTRAL_SCORE), 0.0, NAME_LIMIT)
    same = evidence.name.strip().casefold() == name.strip().casefold()
    return Cue(
        CueKind.NAME,
        strength if same else -min(strength, NAME_OTHER_LIMIT),
        {"engine": evidence.engine, "name": evidence.name, "score": round(evidence.score, 3)},
    )


def _mixture(
    kind: CueKind, likenesses: Sequence[Likeness], ratios: Sequence[float], limit: tuple[float, float], quality: float
) -> Cue:
    """Fuse as a mixture: the track shows one of the candidate's best-matching looks, each as likely as the next."""
    order = sorted(range(len(ratios)), key=lambda index: -ratios[index])[:BEST_LIKENESSES]
    fused = log_sum_exp(ratios[index] for index in order) - log(len(order))
    first = likenesses[order[0]]
    detail = {
        "model": first.model,
        "cosine": round(first.cosine, 3),
        "quality": round(quality, 3),
        "compared": len(likenesses),
    }
    strongest = ratios[order[0]]
    enough = min(TELLING_SHARE * strongest, strongest)
    telling = [likenesses[index].trust for index in order if ratios[index] >= enough]
    return Cue(kind, clamp(fused, *limit), detail, max(telling))
