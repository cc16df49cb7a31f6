"""From cosine similarity to log-likelihood ratio `same person : different people`, one fit per embedding model.

Both distributions are taken as normal; the ratio of their densities is the evidence (natural logarithm), bounded at
both ends because no camera is that certain. How each fit was measured stands in docs/ref/models.md.
"""

from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


LEGIBLE_QUALITY = 0.75  # a face this good shows who it is; at 0 it shows nothing of him
BLURRED_LIKENESS = 0.7  # cosine that two faces of quality 0 have in common, whoever they are: they look like blur
BLURRED_SPREAD = 0.12  # by which deviations grow between two of them
# Of the variance between looks of two people (or of one), the share that stays from look to look: docs/ref/models.md.
PERSISTENT_SHARE = 0.7
BOUND_SLACK = 1.0  # log odds by which the bounds of looks together lie beyond those of a single one
LATENT = np.linspace(-5.0, 5.0, 41)  # deviations over which what stays between two people is integrated
_LATENT_COST = 0.5 * LATENT**2


@dataclass(frozen=True, slots=True)
class CosineFit:
    """Cosine of pairs of good quality: mean and deviation for the same person and for different people.

    At quality 0 the same-person mean is `low_quality_drop` lower and both deviations grow by `low_quality_spread`.
    Where `legible_quality` is given, a picture below it has lost that share of its person: two such are alike by what
    they lost, and of each comparison the worse one's share may as well be of anybody.
    """

    same_mean: float
    same_deviation: float
    other_mean: float
    other_deviation: float
    lowest: float
    highest: float
    low_quality_drop: float = 0.0
    low_quality_spread: float = 0.0
    legible_quality: float = 0.0

    def lost(self, qualities: Floats) -> Floats:
        """Return the share of its person that a picture of each quality has lost, 0 to 1."""
        if self.legible_quality <= 0:
            return np.zeros_like(qualities)
        return clipped(1.0 - qualities / self.legible_quality, 0.0, 1.0)

    def log_ratio(self, cosine: float, quality: float, other_quality: float) -> float:
        """Return the evidence of one comparison of two pictures; qualities are 0 to 1."""
        values = (np.asarray([value]) for value in (cosine, quality, other_quality))
        return float(self.log_ratios(*values)[0])

    def log_ratios(self, cosines: Floats, qualities: Floats, other_qualities: Floats) -> Floats:
        """Return the evidence of many comparisons, element by element."""
        inside, same, other = self._spreads(cosines, qualities, other_qualities)
        ratios = clipped(_log_normal(inside, *same) - _log_normal(inside, *other), self.lowest, self.highest)
        if self.legible_quality <= 0:
            return ratios
        lost = self.lost(np.minimum(qualities, other_qualities))
        return np.asarray(np.log((1.0 - lost) * np.exp(ratios) + lost))

    def likelihoods(self, cosines: Floats, qualities: Floats, other_qualities: Floats) -> Floats:
        """Return the log-likelihoods of several looks of one individual, each compared with the same other one.

        What two people have in common stays from look to look, so that looks do not add up: a hundred that are
        somewhat alike say little more than one. Two rows, for the same person and for others; a column for each of
        LATENT, what stays, with PERSISTENT_SHARE of the variance. A look that has lost its person speaks neither way,
        and each look may be wrong altogether, as seldom as the bounds of a single one say. Those of further looks are
        added to them.
        """
        inside, same, other = self._spreads(cosines, qualities, other_qualities)
        as_same, as_other = np.exp(_log_normal(inside, *same)), np.exp(_log_normal(inside, *other))
        lost = self.lost(np.minimum(qualities, other_qualities))
        wrong = np.stack((exp(self.lowest - BOUND_SLACK) * as_other, exp(-self.highest - BOUND_SLACK) * as_same))
        means, deviations = np.stack((same[0], other[0])), np.stack((same[1], other[1]))
        centres = means + PERSISTENT_SHARE**0.5 * deviations * LATENT[:, None, None]
        passing = np.exp(_log_normal(inside, centres, (1 - PERSISTENT_SHARE) ** 0.5 * deviations))
        return np.asarray(np.log((1 - lost) * passing + lost * as_other + wrong).sum(axis=2).T)

    def together(self, likelihoods: Floats) -> float:
        """Return the evidence of looks of one individual from their likelihoods, integrated over what stays."""
        logs = likelihoods - _LATENT_COST
        tops = logs.max(axis=1)
        same, other = (tops + np.log(np.exp(logs - tops[:, None]).sum(axis=1))).tolist()
        return float(min(max(same - other, self.lowest), self.highest))

    def _spreads(
        self, cosines: Floats, qualities: Floats, other_qualities: Floats
    ) -> tuple[Floats, tuple[Floats, Floats], tuple[Floats, Floats]]:
        """Return the cosines inside the means, and mean and deviation for the same person and for others."""
        lack = 1.0 - clipped(np.minimum(qualities, other_qualities), 0.0, 1.0)
        spread = self.low_quality_spread * lack
        other_mean = np.full_like(lack, self.other_mean)
        if self.legible_quality > 0:
            blurred = self.lost(qualities) * self.lost(other_qualities)
            spread = spread + BLURRED_SPREAD * np.sqrt(blurred)
            other_mean = self.other_mean + BLURRED_LIKENESS * blurred
        other_deviation = self.other_deviation + spread
        same_mean = np.maximum(self.same_mean - self.low_quality_drop * lack, other_mean)
        # Beyond both means the densities' tails say nothing; the ratio must not turn around there.
        inside = clipped(cosines, other_mean, np.maximum(same_mean, other_mean + other_deviation))
        return inside, (same_mean, self.same_deviation + spread), (other_mean, other_deviation)


def clipped(values: Floats, low: Floats | float, high: Floats | float) -> Floats:
    """Return values kept between two bounds; of a few hundred of them, `np.clip` takes several times as long."""
    return np.asarray(np.minimum(np.maximum(values, low), high))


def _log_normal(values: Floats, means: Floats, deviations: Floats) -> Floats:
    return np.asarray(-0.5 * ((values - means) / deviations) ** 2 - np.log(deviations))


FACE_FITS = {
    # Others: 6,245 looks in video, mean 0.02, deviation 0.10, one in a thousand above 0.35.
    "mobilefacenet-128": CosineFit(0.55, 0.14, 0.05, 0.105, -4.5, 9.0, 0.12, 0.02, LEGIBLE_QUALITY),
    # OpenCV's own threshold for SFace is 0.363; fitted around it from published figures, not measured by us.
    "sface-128": CosineFit(0.60, 0.15, 0.05, 0.11, -4.5, 8.0, 0.12, 0.02, LEGIBLE_QUALITY),
}
UNKNOWN_FACE_FIT = CosineFit(0.60, 0.20, 0.10, 0.15, -2.0, 3.0, legible_quality=LEGIBLE_QUALITY)

# Of tracks as ingest fuses them (best crops averaged), same camera and across: a mean of crops is liker to everybody.
# Single first crops: same 0.55, others 0.20; the drop at low quality stands for them.
APPEARANCE_FITS = {
    "omz-reid-0287-256": CosineFit(0.66, 0.14, 0.27, 0.125, -3.0, 5.0, 0.10, 0.02),
    "osnet-x0_25-msmt17-512": CosineFit(0.84, 0.08, 0.69, 0.10, -3.0, 1.5, 0.08, 0.02),
    "colour-texture-1": CosineFit(0.91, 0.05, 0.84, 0.06, -3.0, 1.0, 0.03, 0.02),
}
UNKNOWN_APPEARANCE_FIT = CosineFit(0.70, 0.20, 0.40, 0.20, -1.0, 1.0)
APPEARANCE_HALF_LIFE_S = 2 * 3600.0  # people change clothes; within a visit they rarely do
APPEARANCE_END_S = 12 * 3600.0


def face_log_ratios(model: str, cosines: Floats, qualities: Floats, other_qualities: Floats) -> Floats:
    """Return the evidence of many face comparisons; an unknown model is trusted little."""
    return FACE_FITS.get(model, UNKNOWN_FACE_FIT).log_ratios(cosines, qualities, other_qualities)


def face_log_ratio(model: str, cosine: float, quality: float, other_quality: float) -> float:
    """Return the evidence of one face comparison; an unknown model is trusted little."""
    return FACE_FITS.get(model, UNKNOWN_FACE_FIT).log_ratio(cosine, quality, other_quality)


def face_fit(model: str) -> CosineFit:
    """Return how cosines of faces are spread; an unknown model is trusted little."""
    return FACE_FITS.get(model, UNKNOWN_FACE_FIT)


def appearance_fit(model: str) -> CosineFit:
    """Return how cosines of clothes and build seen at one time are spread; an unknown model is trusted little."""
    return APPEARANCE_FITS.get(model, UNKNOWN_APPEARANCE_FIT)


def appearance_log_ratios(
    model: str, cosines: Floats, qualities: Floats, other_qualities: Floats, seconds_apart: Floats
) -> Floats:
    """Return the evidence of many appearance comparisons, fading with the time between the two sights of each."""
    return faded(appearance_fit(model).log_ratios(cosines, qualities, other_qualities), seconds_apart)


def faded(ratios: Floats, seconds_apart: Floats) -> Floats:
    """Return what appearance comparisons say of sights so far apart, that say so much when both are of one moment."""
    fading = np.exp2(np.maximum(seconds_apart, 0.0) / -APPEARANCE_HALF_LIFE_S)
    return np.where(seconds_apart >= APPEARANCE_END_S, 0.0, ratios * fading)


def appearance_log_ratio(
    model: str, cosine: float, quality: float, other_quality: float, seconds_apart: float
) -> float:
    """Return the evidence of one appearance comparison, fading with the time between the two sights."""
    values = (np.asarray([value]) for value in (cosine, quality, other_quality, seconds_apart))
    return float(appearance_log_ratios(model, *values)[0])


@dataclass(frozen=True, slots=True)
class NameFit:
    """What an engine's own score for a name is worth: none up to `neutral`, then `slope` per unit of score.

    Engines without embeddings tell no more than a score; what it means differs from engine to engine.
    """

    neutral: float
    slope: float
    highest: float = 6.0  # for the person so called
    highest_against: float = 3.0  # against each of the others


NAME_FITS = {
    # Their score is a distance of embeddings turned into 0.5 at the threshold, 1 for the same picture.
    "codeproject": NameFit(0.55, 15.0),
    "deepstack": NameFit(0.55, 15.0),
    # CompreFace's similarity is steep: others stay near 0, its own default threshold lies between 0.85 and 0.9.
    "compreface": NameFit(0.80, 28.0),
}
UNKNOWN_NAME_FIT = NameFit(0.70, 10.0, 3.0, 1.5)


def name_log_ratios(engine: str, score: float) -> tuple[float, float]:
    """Return the evidence of a name: for the person so called, and for everybody else."""
    fit = NAME_FITS.get(engine, UNKNOWN_NAME_FIT)
    strength = min(max(fit.slope * (score - fit.neutral), 0.0), fit.highest)
    return strength, -min(strength, fit.highest_against)
