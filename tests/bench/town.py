"""A made-up town: people who walk past cameras, with exact truth, and looks spread as core/calibration.py says."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import log

import numpy as np

from marengocam.core.calibration import APPEARANCE_FITS, BLURRED_LIKENESS, FACE_FITS, CosineFit
from marengocam.core.geometry import Box
from marengocam.core.ids import new_id
from marengocam.core.model import Embedding, LocalTrack, PathPoint

START = datetime(2026, 6, 1, 8, tzinfo=UTC)
FACE, CLOTHES = "mobilefacenet-128", "omz-reid-0287-256"
FACE_SIZE, CLOTHES_SIZE = 128, 256
CAMERAS = tuple(f"camera{number}" for number in range(8))  # in a ring: one walks from each to its neighbours
TRANSIT_MEDIAN_S, TRANSIT_DEVIATION = 12.0, 0.35  # log-normal
WALK_S = (4.0, 14.0)  # in front of one camera
FACE_SHARE = 0.45  # of tracks that show a face
CUT_SHARE = 0.15  # of tracks that the tracker loses on the way and takes up anew
# Of the variance between looks of different people, what stays from look to look of the same two. Measured on footage:
# 0.70 for clothes (279 cosines), 0.64 to 0.81 for legible faces; docs/ref/models.md.
PERSISTENT_SHARE = 0.7
REVISION_S = 2.0  # the first state of a track is saved so soon after its beginning


@dataclass(frozen=True, slots=True)
class Somebody:
    """One inhabitant; residents are enrolled under their name."""

    name: str
    resident: bool
    face: np.ndarray
    clothes: np.ndarray


@dataclass(slots=True)
class Town:
    """People and the revisions of their LocalTracks in order of time; `truth` tells whose each track is."""

    people: list[Somebody]
    revisions: list[LocalTrack] = field(default_factory=list)
    truth: dict[object, str] = field(default_factory=dict)


def build(people: int, residents: int, journeys: int, hours: float, seed: int) -> Town:
    """Return a town whose people each make so many journeys within so many hours."""
    rng = np.random.default_rng(seed)
    faces = population(rng, people, FACE_SIZE, FACE_FITS[FACE])
    clothes = population(rng, people, CLOTHES_SIZE, APPEARANCE_FITS[CLOTHES])
    town = Town([Somebody(f"P{n}", n < residents, faces[n], clothes[n]) for n in range(people)])
    for somebody in town.people:
        for start_s in np.sort(rng.uniform(0, hours * 3600, journeys)):
            for track in journey(rng, somebody, START + timedelta(seconds=float(start_s))):
                town.truth[track[-1].local_track_id] = somebody.name
                town.revisions += track
    town.revisions.sort(key=lambda one: (one.last_seen_at, one.local_track_id))
    return town


def population(rng: np.random.Generator, people: int, size: int, fit: CosineFit) -> np.ndarray:
    """Return unit vectors, one a person, drawn so that *looks* of different people are as the fit says.

    A look keeps only `fit.same_mean` of a pair's cosine, so people are liker to each other than their looks. A common
    part gives the mean; the rest lies in as few dimensions as give the persistent part of the deviation.
    """
    mean = fit.other_mean / fit.same_mean
    deviation = PERSISTENT_SHARE**0.5 * fit.other_deviation / fit.same_mean
    own = 1 - mean
    dimensions = min(size - 2, max(2, round((own / deviation) ** 2)))
    rest = unit(rng.normal(size=(people, dimensions)))
    vectors = np.zeros((people, size))
    vectors[:, 0] = mean**0.5
    vectors[:, 1 : dimensions + 1] = own**0.5 * rest
    return vectors


def passing_dimensions(size: int, fit: CosineFit) -> int:
    """Return in how few dimensions pose and light vary, so that they make the rest of different looks' deviation."""
    kept, mean = fit.same_mean, fit.other_mean / fit.same_mean
    of_shares = (mean * fit.same_deviation) ** 2  # how much of its person each look shows varies, too
    rest = (1 - PERSISTENT_SHARE) * fit.other_deviation**2 - of_shares
    spread = 2 * kept * (1 - kept) * (1 - mean) + (1 - kept) ** 2
    return int(np.clip(round(spread / max(rest, spread / size)), 8, size - 2))


def look(rng: np.random.Generator, of: np.ndarray, model: str, fit: CosineFit, quality: float) -> Embedding:
    """Return a sight of somebody whose cosine to another sight is spread as the fit says for this quality.

    Two sights of cosine c each to the person's own vector have c squared to each other. A picture that has lost so
    much of its person shows anybody in that share of cases, and blur, which all such pictures have in common.
    """
    lack, lost = 1 - quality, float(fit.lost(np.asarray([quality]))[0])
    if lost and rng.random() < lost:
        of = population(rng, 1, len(of), fit)[0]
    mean = fit.same_mean - fit.low_quality_drop * lack
    # The deviation of a pair is that of two looks' shares together.
    wanted = rng.normal(mean, 2**0.5 * (fit.same_deviation + fit.low_quality_spread * lack))
    share = float(np.clip(wanted, 0.02, 0.98)) ** 0.5
    noise = np.zeros(len(of))
    passing = passing_dimensions(len(of), fit)
    noise[1 : passing + 1] = rng.normal(size=passing)
    noise = unit(noise - (noise @ of) * of)
    seen = share * of + (1 - share**2) ** 0.5 * noise
    blur = np.zeros(len(of))
    blur[-1] = 1.0
    seen = unit((1 - BLURRED_LIKENESS * lost**2) ** 0.5 * seen + BLURRED_LIKENESS**0.5 * lost * blur)
    return Embedding(model, np.asarray(seen, np.float32), quality)


def journey(rng: np.random.Generator, who: Somebody, at: datetime) -> Iterator[list[LocalTrack]]:
    """Yield the revisions of each track of one walk past 2 to 6 cameras."""
    place, step = int(rng.integers(len(CAMERAS))), int(rng.choice((-1, 1)))
    for _ in range(int(rng.integers(2, 7))):
        seconds = float(rng.uniform(*WALK_S))
        pieces = [seconds * 0.45, seconds * 0.45] if rng.random() < CUT_SHARE else [seconds]
        x = 0.05
        for piece_s in pieces:
            width = 0.85 * piece_s / seconds
            yield revisions(rng, who, CAMERAS[place], at, piece_s, (x, x + width))
            at += timedelta(seconds=piece_s + (1.0 if len(pieces) > 1 else 0.0))
            x += width + 0.03
        at += timedelta(seconds=float(rng.lognormal(log(TRANSIT_MEDIAN_S), TRANSIT_DEVIATION)))
        place = (place + step) % len(CAMERAS)


def revisions(
    rng: np.random.Generator, who: Somebody, camera: str, at: datetime, seconds: float, across: tuple[float, float]
) -> list[LocalTrack]:
    """Return a track as it is saved: soon after its beginning, and at its end with all that was seen."""
    end = at + timedelta(seconds=seconds)
    clothes = look(rng, who.clothes, CLOTHES, APPEARANCE_FITS[CLOTHES], float(rng.uniform(0.5, 0.95)))
    face = None
    if rng.random() < FACE_SHARE:
        face = look(rng, who.face, FACE, FACE_FITS[FACE], float(rng.beta(5, 3)))
    whole = LocalTrack(
        new_id(at), camera, "person", at, end, False, 0.9, max(3, round(seconds * 5)),
        tuple(walked(at, end, across)), appearance=clothes, face=face,
    )  # fmt: skip
    if seconds <= REVISION_S:
        return [whole]
    soon = at + timedelta(seconds=REVISION_S)
    early = replace(
        whole, last_seen_at=soon, open=True, face=None, path=tuple(one for one in whole.path if one.at <= soon)
    )
    return [early, whole]


def walked(at: datetime, end: datetime, across: tuple[float, float]) -> Iterator[PathPoint]:
    steps = max(2, round((end - at).total_seconds() / 0.5))
    for number in range(steps + 1):
        share = number / steps
        x = across[0] + share * (across[1] - across[0])
        yield PathPoint(at + share * (end - at), Box(x, 0.3, x + 0.08, 0.8), 0.9)


def unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=-1, keepdims=True)
