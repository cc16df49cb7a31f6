"""One explanation of a track: who it may be, and how strongly all evidence speaks for that."""

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from marengocam.core.identity import Sight
from marengocam.resolver.cues import LINKS, Cue, CueKind, best
from marengocam.resolver.fusion import Fused


@dataclass(frozen=True, slots=True, eq=False)
class Individual:
    """One candidate: a person with all its recent identities, or one unknown identity."""

    identity_id: UUID | None  # where a track of this individual goes; None: a person without a recent identity
    identity_ids: frozenset[UUID]
    person_id: UUID | None
    sights: tuple[Sight, ...]
    face: Fused | None = None
    appearance: Fused | None = None
    called: UUID | None = None  # whom the resolver named it; every decision weighs anew whether it is
    elsewhere: tuple[Sight, ...] = ()  # of a person: where those were seen whom the resolver called so


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """What the track may be, and how strongly all evidence speaks for it against somebody new."""

    identity_id: UUID | None
    person_id: UUID | None
    prior: float
    cues: tuple[Cue, ...]
    composite: bool = False  # the unknown identity is found to be the person
    joins: UUID | None = None  # an unknown identity of this visit that is found to be the stranger of before
    visiting: bool = False  # it is found to be another one of this visit
    called: UUID | None = None  # whom the resolver called the identity, be it him or not
    named_by: float | None = None  # what the track's own face and name say of the person, where links say more
    link: "Hypothesis | None" = None  # of a composite: that the track is of the unknown, by which it is the person too
    log_odds: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "log_odds", self.prior + sum([cue.log_ratio for cue in self.cues]))

    @property
    def trust(self) -> float:
        """A chain is no stronger than its links: the trust of the strongest cue for it."""
        strongest = best(self.cues, LINKS)
        return strongest.trust if strongest else 1.0

    @property
    def linked(self) -> float:
        """How sure it is that what links the track to an identity is of whoever founded it.

        The strongest link may be to looks that are not the founder's: whoever is like them would be as like them.
        """
        if self.link is not None:
            return self.link.linked
        strongest = best(self.cues, LINKS)
        if strongest is None:
            return 1.0
        return strongest.trust if strongest.held is None else strongest.held

    @property
    def key(self) -> tuple[float, int, int]:
        """Order: best first, ties by ids so that the order of arrival never matters."""
        identity, person = self.identity_id, self.person_id
        return (-round(self.log_odds, 9), identity.int if identity else -1, person.int if person else -1)

    @property
    def naming(self) -> float:
        """What the track itself says of the person by face or name, not by being like others called so."""
        return self.ratio_of((CueKind.FACE, CueKind.NAME)) if self.named_by is None else self.named_by

    def ratio_of(self, kinds: Collection[CueKind]) -> float:
        return sum(cue.log_ratio for cue in self.cues if cue.kind in kinds)


NOBODY_KNOWN = Hypothesis(identity_id=None, person_id=None, prior=0.0, cues=())
