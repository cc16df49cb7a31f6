"""Which embeddings of a track are kept to recognise its individual by."""

from uuid import UUID, uuid5

from marengocam.core.identity import ExemplarWrite, Looks
from marengocam.core.model import Embedding, LocalTrack

EXEMPLAR_NAMESPACE = UUID("0a4c6a0e-6a52-4a8e-8e43-3c2f6f3f5d10")
GROW_PROBABILITY = 0.99  # a face is taken in for good only when it is this sure whose it is
GROW_QUALITY = 0.6
GROW_FACE_RATIO = 3.0  # and when the face itself, not only clothes and place, says so
HUMAN_QUALITY = 0.4  # a human saw who it is: a lesser face will do
SAME_LOOK_COSINE = 0.9  # adds nothing to a face that is in the gallery already
OBSERVED_QUALITY = 0.2


def observed(
    track: LocalTrack, identity_id: UUID, faces: Looks | None, person_id: UUID | None, *, lasting: bool
) -> tuple[ExemplarWrite, ...]:
    """Return what the track leaves behind: its looks for the visit, and its face for good when `lasting`."""
    kept = []
    if track.appearance is not None and track.appearance.quality >= OBSERVED_QUALITY:
        kept.append(_exemplar(track, identity_id, "appearance", track.appearance, None))
    if track.face is not None and track.face.quality >= OBSERVED_QUALITY:
        grows = lasting and person_id is not None and _adds_a_look(faces, person_id)
        kept.append(_exemplar(track, identity_id, "face", track.face, person_id if grows else None))
    return tuple(kept)


def may_last(track: LocalTrack, probability: float, face_ratio: float) -> bool:
    """Return whether the track's face is good and sure enough for a person's lasting gallery."""
    return (
        track.face is not None
        and track.face.quality >= GROW_QUALITY
        and probability >= GROW_PROBABILITY
        and face_ratio >= GROW_FACE_RATIO
    )


def _adds_a_look(faces: Looks | None, person_id: UUID) -> bool:
    """Return whether none of the person's faces is much the same."""
    if faces is None or person_id not in faces.owners:
        return True
    own = faces.cosines[faces.owner == faces.owners.index(person_id)]
    return not bool((own >= SAME_LOOK_COSINE).any())


def _exemplar(
    track: LocalTrack, identity_id: UUID, kind: str, embedding: Embedding, person_id: UUID | None
) -> ExemplarWrite:
    return ExemplarWrite(
        exemplar_id=uuid5(EXEMPLAR_NAMESPACE, f"{track.local_track_id}/{kind}/{embedding.model}"),
        person_id=person_id,
        identity_id=identity_id,
        local_track_id=track.local_track_id,
        kind=kind,
        embedding=embedding,
        source="observed" if person_id is None else "confirmed",
        picture_path=track.face_crop_path if kind == "face" else track.crop_path,
        created_at=track.last_seen_at,
    )
