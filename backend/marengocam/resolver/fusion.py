"""What faces, names and clothes say about each candidate: log-likelihood ratios from cosines, all weighed at once."""

from collections.abc import Collection, Mapping
from math import fsum, log
from typing import NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt

from marengocam.core.calibration import (
    appearance_fit,
    appearance_log_ratios,
    face_log_ratios,
    faded,
    name_log_ratios,
)
from marengocam.core.identity import Floats, Looks, Places
from marengocam.core.model import Embedding, NameEvidence
from marengocam.core.register import Register
from marengocam.resolver.cues import Cue, CueKind, clamp
from marengocam.resolver.naming import agreeing

BEST_LOOKS = 5  # of a gallery: the track need not look like every pose in it
TELLING_SHARE = 0.5  # of the best ratio: a surer exemplar nearly as alike carries the link
FACE_LIMIT = (-8.0, 14.0)
APPEARANCE_LIMIT = (-4.0, 6.0)
MOST_TRUST = 0.999
SHORT = int(np.iinfo(np.int16).max)


class Fused(NamedTuple):
    """What all looks of one candidate together say."""

    log_ratio: float
    cosine: float  # of the look that says most
    compared: int
    trust: float  # how sure it is that a look that says so much is the candidate's
    exemplar_id: UUID  # the look that says most
    local_track_id: UUID | None  # where it was seen; None: enrolled, or the track is gone
    held: float = 1.0  # how sure it is that the look that the track shows is the candidate's, whichever of them it is


class Weighed:
    """What all looks of each candidate say; nearly all are asked for their ratios only.

    Fused as a mixture: the track shows one of the candidate's best-matching looks, each as likely as the next. Each
    ratio is lowered first by how sure it is that the look is the candidate's.
    """

    def __init__(self, looks: Looks, ratios: Floats) -> None:
        """Weigh looks, of which there are some, by what each of them says."""
        plain, weighed = ratios, _lowered(ratios, looks.trusts)
        order = np.argsort(-weighed)
        order = order.take(np.argsort(_short(looks.owner).take(order), kind="stable"))
        owner = looks.owner.take(order)
        starts = _starts(owner)
        counts = _counts(starts, len(owner))
        best, firsts, kept = order, starts, counts
        if counts.max() > BEST_LOOKS:
            # Of equals the likest first, then the oldest; where all count that is asked of few, see `get`.
            best = order = np.lexsort((looks.at_s, -looks.cosines, -weighed, looks.owner))
            kept = np.minimum(counts, BEST_LOOKS)
            best = order[_first_ones(starts, counts, kept)]
            firsts = np.cumsum(kept) - kept
        ratios = weighed.take(best)
        strongest = ratios.take(firsts)
        above = np.repeat(strongest, kept)
        fused = strongest + np.log(np.add.reduceat(np.exp(ratios - above), firsts)) - np.log(kept)
        telling = ratios >= np.minimum(TELLING_SHARE * above, above)
        trusts = np.maximum.reduceat(np.where(telling, looks.trusts.take(best), 0.0), firsts)
        self.codes: list[int] = owner.take(starts).tolist()  # of the candidates: places in `looks.owners`
        self.ratios: list[float] = fused.tolist()  # what all looks of each say
        self._looks = looks
        self._order, self._starts, self._counts, self._trusts = order, starts, counts, trusts
        self._weighed, self._plain, self._kept = weighed, plain, kept
        self._places = {looks.owners[code]: place for place, code in enumerate(self.codes)}
        self._galleries: dict[UUID, Fused] = {}

    def weigh_galleries(self, face: Embedding, persons: Collection[UUID]) -> None:
        """Weigh a track's face against each person's faces as a whole instead."""
        looks, known = self._looks, [one for one in persons if one in self._places]
        if not known:
            return
        listed = np.zeros(len(looks.owners), bool)
        listed[[self.codes[self._places[one]] for one in known]] = True
        places = np.flatnonzero(listed[looks.owner])
        places = places[np.lexsort((looks.at_s[places], -looks.cosines[places], looks.owner[places]))]
        owner = looks.owner[places]
        starts = _starts(owner)
        counts = _counts(starts, len(owner))
        wanted = np.array([agreeing(count) for count in counts.tolist()])
        likest = places[_first_ones(starts, counts, wanted)]
        firsts = np.cumsum(wanted) - wanted
        cosines = np.add.reduceat(looks.cosines[likest], firsts) / wanted
        qualities = np.add.reduceat(looks.qualities[likest], firsts) / wanted
        ratios = face_log_ratios(face.model, cosines, np.full_like(qualities, face.quality), qualities)
        columns = (places[starts].tolist(), ratios.tolist(), cosines.tolist(), counts.tolist())
        for place, ratio, cosine, count in zip(*columns, strict=True):
            person_id = looks.owners[int(looks.owner[place])]
            self.ratios[self._places[person_id]] = ratio
            self._galleries[person_id] = Fused(ratio, cosine, count, 1.0, *self._ids(place))

    def numbered(self, individuals: Register) -> list[int]:
        """Return the candidates' numbers in a register that may be another than the looks'."""
        if self._looks.owners is individuals.ids:
            return self.codes
        return individuals.coded(self._looks.owners[code] for code in self.codes)

    def get(self, owner: UUID) -> Fused | None:
        """Return what the looks of one candidate say; None: there are none."""
        place = self._places.get(owner)
        if place is None or owner in self._galleries:
            return self._galleries.get(owner)
        start, count, trust = int(self._starts[place]), int(self._counts[place]), float(self._trusts[place])
        ids = self._ids(first := self._first(start, count))
        held = self._held(start, int(self._kept[place]))
        return Fused(self.ratios[place], float(self._looks.cosines[first]), count, trust, *ids, held)

    def _held(self, start: int, kept: int) -> float:
        """Return how sure it is that what a track is like is the candidate's: each look as far as it is like it."""
        best = self._order[start : start + kept]
        shares = np.exp(self._plain[best] - self._plain[best].max())
        return fsum((shares * self._looks.trusts[best]).tolist()) / fsum(shares.tolist())

    def _first(self, start: int, count: int) -> int:
        """Return which of some ordered looks says most: of equals the likest, then the oldest."""
        strongest = int(self._order[start])
        if count == 1 or self._weighed[self._order[start + 1]] < self._weighed[strongest]:
            return strongest
        own = np.sort(self._order[start : start + count])
        return int(own[np.lexsort((self._looks.at_s[own], -self._looks.cosines[own], -self._weighed[own]))[0]])

    def _ids(self, place: int) -> tuple[UUID, UUID | None]:
        row = int(self._looks.rows[place])
        return self._looks.exemplar_ids[row], self._looks.local_track_ids[row]


def weighed_faces(face: Embedding, looks: Looks, persons: Collection[UUID] = ()) -> Weighed | None:
    """Weigh all faces by the same model, of whomever, at once; most of a person's have to be like the track's."""
    if not len(looks.owner):
        return None
    own = np.full_like(looks.qualities, face.quality)
    weighed = Weighed(looks, face_log_ratios(face.model, looks.cosines, own, looks.qualities))
    weighed.weigh_galleries(face, persons)
    return weighed


def weighed_appearances(
    appearance: Embedding, looks: Looks, at_s: float, ratios: Floats | None = None
) -> Weighed | None:
    """Weigh clothes and build of all looks by the same model at once, fading with the seconds between the sights.

    `ratios` are those of one moment, where they are known.
    """
    if not len(looks.owner):
        return None
    at_once = clothes_ratios(appearance, looks) if ratios is None else ratios
    return Weighed(looks, faded(at_once, np.abs(at_s - looks.at_s)))


def clothes_ratios(appearance: Embedding, looks: Looks) -> Floats:
    """Return what each look says by clothes and build as if it were of the same moment."""
    own = np.full_like(looks.qualities, appearance.quality)
    return appearance_fit(appearance.model).log_ratios(looks.cosines, own, looks.qualities)


def past_looks(trusts: Floats, looks: Looks, ratios: Floats) -> dict[UUID, float]:
    """Return, by owner, the log ratio of one unknown individual's looks being of that owner.

    `trusts` are of its looks, `ratios` have a row for each of them and a column for each of the owners' looks. The mean
    of its looks counts: they are of one individual and much alike, so that they do not add up, and a single odd one
    does not decide.
    """
    weighed = _lowered(ratios, looks.trusts)
    found: dict[UUID, float] = {}
    for place in sorted(set(looks.owner.tolist())):
        likest = np.sort(weighed[:, looks.owner == place])[:, : -BEST_LOOKS - 1 : -1]
        strongest = likest[:, :1]
        fused = strongest[:, 0] + np.log(np.exp(likest - strongest).sum(axis=1)) - log(likest.shape[1])
        found[looks.owners[place]] = float(_lowered(fused, trusts).mean())
    return found


def past_face_ratios(looks: Looks, qualities: Floats) -> Floats:
    """Weigh every face of one individual, of these qualities, against those of others."""
    return face_log_ratios(looks.model, looks.cosines, qualities[:, None], looks.qualities)


def past_appearance_ratios(looks: Looks, qualities: Floats, at_s: float) -> Floats:
    """Weigh clothes and build of every look of one individual, who is there at `at_s`, against those of others."""
    apart_s = np.abs(at_s - looks.at_s)
    return appearance_log_ratios(looks.model, looks.cosines, qualities[:, None], looks.qualities, apart_s)


def face_cue(face: Embedding, fused: Fused) -> Cue:
    """Return what the track's face says of one candidate."""
    return _cue(CueKind.FACE, face, fused, FACE_LIMIT)


def appearance_cue(appearance: Embedding, fused: Fused) -> Cue:
    """Return what the track's clothes and build say of one candidate."""
    return _cue(CueKind.APPEARANCE, appearance, fused, APPEARANCE_LIMIT)


def past_strangers_cues(
    faces: Mapping[tuple[UUID, UUID], float], clothes: Mapping[tuple[UUID, UUID], float], pair: tuple[UUID, UUID]
) -> list[Cue]:
    """Say whether an unknown's looks of this visit are those of somebody unknown of before; they may deny it."""
    cues = []
    if pair in faces:
        cues.append(Cue(CueKind.PAST_FACES, clamp(faces[pair], *FACE_LIMIT)))
    if pair in clothes:
        cues.append(Cue(CueKind.PAST_APPEARANCE, clamp(clothes[pair], *APPEARANCE_LIMIT)))
    return cues


def name_cue(evidence: NameEvidence, name: str) -> Cue:
    """Return what a face engine without embeddings says by giving a name and its own score (0 to 1)."""
    same, other = name_log_ratios(evidence.engine, evidence.score)
    named = evidence.name.strip().casefold() == name.strip().casefold()
    detail = {"engine": evidence.engine, "name": evidence.name, "score": round(evidence.score, 3)}
    return Cue(CueKind.NAME, same if named else other, detail)


def _cue(kind: CueKind, embedding: Embedding, fused: Fused, limit: tuple[float, float]) -> Cue:
    detail = {
        "model": embedding.model,
        "cosine": round(fused.cosine, 3),
        "quality": round(embedding.quality, 3),
        "compared": fused.compared,
    }
    if fused.local_track_id is not None:
        detail["with_track_id"] = str(fused.local_track_id)
    else:
        detail["with_exemplar_id"] = str(fused.exemplar_id)
    return Cue(kind, clamp(fused.log_ratio, *limit), detail, fused.trust, fused.held)


def _lowered(ratios: Floats, trusts: Floats) -> Floats:
    """Return log(t * e^r + 1 - t): what a look says when it is the candidate's with probability t."""
    sure = np.minimum(np.maximum(trusts, 0.0), MOST_TRUST)
    return np.asarray(np.log(sure * np.exp(ratios) + 1 - sure))


def _short(owner: Places) -> npt.NDArray[np.signedinteger]:
    """Return numbers in two bytes, where they fit: these are sorted in a fraction of the time."""
    return owner.astype(np.int16) if owner.max() <= SHORT else owner


def _starts(owner: Places) -> Places:
    """Return where each owner begins in a sorted column."""
    return np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1])))


def _counts(starts: Places, rows: int) -> Places:
    """Return how many rows of a sorted column each owner has."""
    return np.asarray(np.concatenate((starts[1:], [rows])) - starts)


def _first_ones(starts: Places, counts: Places, wanted: Places) -> npt.NDArray[np.bool_]:
    """Return which rows of a sorted column are the first few of their owner, `wanted` of each."""
    within = np.arange(int(counts.sum())) - np.repeat(starts, counts)
    return np.asarray(within < np.repeat(wanted, counts))
