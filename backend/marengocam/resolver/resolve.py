"""One changed track in, everything that is to be written about it out; pure."""

from collections.abc import Callable
from datetime import datetime
from math import isfinite
from uuid import UUID

from marengocam.core.identity import Assignment, CameraGraph, ClaimedTrack, KnownPerson, Outcome, Surroundings
from marengocam.resolver.announce import Announcement, Belief, announce, is_news, movement_events, zone_events
from marengocam.resolver.decision import Verdict, decide
from marengocam.resolver.evidence import evidence_of
from marengocam.resolver.gallery import HUMAN_QUALITY, may_last, observed

PERSON_LABEL = "person"
MOVEMENT_LABEL = "movement"  # what ingest calls walking that it does not recognise
HUMAN = "human"
HUMAN_EVIDENCE = {"cues": [], "decided_by": HUMAN}


def resolve_other(claimed: ClaimedTrack) -> Outcome:
    """Return what is written about a track that is no person: its zones, or that something moved."""
    track = claimed.track
    events = movement_events(track) if track.label == MOVEMENT_LABEL else zone_events(track, None)
    return Outcome(claimed=claimed, identity_id=None, events=tuple(events))


def resolve(
    claimed: ClaimedTrack,
    surroundings: Surroundings,
    graph: CameraGraph,
    *,
    confirm_probability: float,
    new_identity: Callable[[], UUID],
) -> Outcome:
    """Return the decision on a person's track that no human has decided on."""
    before = claimed.assignment
    verdict = decide(claimed.track, surroundings, graph, before, confirm_probability)
    if not (isfinite(verdict.probability) and isfinite(verdict.margin)):
        raise ArithmeticError("the evidence is not a number")
    names = {person.person_id: person for person in surroundings.persons}
    place = _place(verdict, before, surroundings.denied)
    identity_id = new_identity() if place is None else place
    person = names.get(verdict.chosen.person_id) if verdict.chosen.person_id is not None else None
    evidence = evidence_of(claimed.track, verdict, surroundings, names)
    belief = Belief(
        identity_id=identity_id,
        person=person,
        probability=verdict.probability,
        maybe_person=verdict.likeliest_person[1] if verdict.likeliest_person else 0.0,
        evidence=evidence,
        ignored=_ignored(surroundings, identity_id, person),
    )
    said = announce(claimed, belief, names)
    face_ratio = verdict.chosen.naming
    lasting = verdict.confirmed_person_id is not None and may_last(claimed.track, verdict.probability, face_ratio)
    return Outcome(
        claimed=claimed,
        identity_id=identity_id,
        person_id=person.person_id if person else None,
        left_identity_id=before.identity_id if before is not None and before.identity_id != identity_id else None,
        probability=verdict.probability,
        margin=verdict.margin,
        evidence=evidence,
        announced_person_id=said.person_id,
        announced_unknown=said.unknown,
        exemplars=observed(
            claimed.track, identity_id, surroundings.faces, person.person_id if person else None, lasting=lasting
        ),
        events=said.events,
        joined_identity_id=verdict.chosen.joins,
        wake_identity=verdict.chosen.composite or verdict.unnames,
        founder=verdict.founder,
        founds=place is None,
        unnamed=verdict.unnames,
    )


def obey(claimed: ClaimedTrack, assignment: Assignment, surroundings: Surroundings, now: datetime) -> Outcome:
    """Return what follows from a human's word: nothing is decided again, only said and remembered (I6)."""
    names: dict[UUID, KnownPerson] = {person.person_id: person for person in surroundings.persons}
    person = names.get(assignment.person_id) if assignment.person_id is not None else None
    belief = Belief(
        identity_id=assignment.identity_id,
        person=person,
        probability=1.0,
        maybe_person=1.0,
        evidence=HUMAN_EVIDENCE,
        ignored=_ignored(surroundings, assignment.identity_id, person),
        word=assignment.decided_at.isoformat(),
    )
    # Of older sights only a name that was said and does not hold is news.
    wrong = assignment.announced_person_id is not None and assignment.announced_person_id != assignment.person_id
    if wrong or is_news(claimed.track, now):
        said = announce(claimed, belief, names)
    else:
        said = Announcement((), assignment.announced_person_id, assignment.announced_unknown)
    return Outcome(
        claimed=claimed,
        identity_id=assignment.identity_id,
        person_id=assignment.person_id,
        probability=1.0,
        announced_person_id=said.person_id,
        announced_unknown=said.unknown,
        exemplars=observed(
            claimed.track,
            assignment.identity_id,
            surroundings.faces,
            assignment.person_id,
            lasting=claimed.track.face is not None and claimed.track.face.quality >= HUMAN_QUALITY,
        ),
        events=said.events,
    )


def _ignored(surroundings: Surroundings, identity_id: UUID, person: KnownPerson | None) -> bool:
    return identity_id in surroundings.ignored or (person is not None and person.person_id in surroundings.ignored)


def _place(verdict: Verdict, before: Assignment | None, denied: frozenset[tuple[UUID, UUID]]) -> UUID | None:
    """Return the identity the track goes to; None: a new one.

    Shared with others of the same person it stays; alone it joins the person's others; an identity of its own is
    kept, rather than made anew, unless it was called somebody else, or denied to be the person.
    """
    chosen = verdict.chosen
    if (
        before is not None
        and before.person_id is not None
        and before.person_id == chosen.person_id
        and not before.alone
    ):
        return before.identity_id
    if chosen.identity_id is not None:
        return chosen.identity_id
    denies = before is not None and chosen.person_id is not None and (before.identity_id, chosen.person_id) in denied
    if before is not None and before.alone and before.person_id in (None, chosen.person_id) and not denies:
        return before.identity_id
    return None
