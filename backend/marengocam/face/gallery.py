"""Known faces, ready to be compared."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import numpy.typing as npt

from marengocam.core.calibration import face_log_ratio
from marengocam.core.model import Embedding
from marengocam.db.hub import Hub
from marengocam.db.persons import Exemplar

UNKNOWN = "unknown"
PRIOR_LOG_ODDS = -2.0  # that a face belongs to a given person before it was looked at


@dataclass(frozen=True, slots=True)
class Match:
    """The best name for a face and how sure it is, 0 to 1."""

    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Gallery:
    """Face embeddings of one model, a row each, with names."""

    model: str = ""
    names: tuple[str, ...] = ()
    owners: tuple[int, ...] = ()  # index into names, one per row
    vectors: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 1), np.float32))
    qualities: tuple[float, ...] = ()

    @classmethod
    def of(cls, exemplars: Iterable[Exemplar], names: Mapping[UUID, str], model: str) -> "Gallery":
        """Return the gallery of one model.

        Faces of another size than most are left out: an engine under the same name made them, and nothing is like them.
        """
        kept = [
            one for one in exemplars if one.kind == "face" and one.embedding.model == model and one.person_id in names
        ]
        if not kept:
            return cls(model)
        size = Counter(one.embedding.vector.size for one in kept).most_common(1)[0][0]
        kept = [one for one in kept if one.embedding.vector.size == size]
        people = sorted({names[one.person_id] for one in kept})
        vectors = np.stack([one.embedding.vector for one in kept])
        owners = tuple(people.index(names[one.person_id]) for one in kept)
        return cls(model, tuple(people), owners, vectors, tuple(one.embedding.quality for one in kept))

    def match(self, face: Embedding) -> Match:
        """Return the best name; `unknown` with confidence 0 when there is nobody to compare with."""
        if not self.names or face.model != self.model or face.vector.size != self.vectors.shape[1]:
            return Match(UNKNOWN, 0.0)
        cosines = self.vectors @ face.vector
        best = int(np.argmax(cosines))
        ratio = face_log_ratio(face.model, float(cosines[best]), face.quality, self.qualities[best])
        log_odds = ratio + PRIOR_LOG_ODDS
        return Match(self.names[self.owners[best]], float(1 / (1 + np.exp(-log_odds))))


def likeness(one: Embedding, other: Embedding) -> float:
    """Return how likely two faces are one person's, where both are as likely before: 0 to 1, 0.5 is undecided.

    Clients compare it with the threshold of another engine; a cosine would mean something else for each model.
    """
    if one.model != other.model:
        return 0.0
    log_ratio = face_log_ratio(one.model, float(one.vector @ other.vector), one.quality, other.quality)
    return float(1 / (1 + np.exp(-log_ratio)))


async def load_gallery(hub: Hub, model: str) -> Gallery:
    """Return everybody's faces of one model; raises HubUnavailableError."""
    names = {known.person.person_id: known.person.name for known in await hub.persons.list()}
    return Gallery.of(await hub.persons.exemplars(), names, model)
