"""Comparing a face with those that are known."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import numpy as np
import pytest

from marengocam.core.model import Embedding
from marengocam.db.persons import Exemplar
from marengocam.face.gallery import Gallery

MODEL = "mobilefacenet-128"
AT = datetime(2026, 6, 1, tzinfo=UTC)
ALICE, BOB = uuid4(), uuid4()
NAMES = {ALICE: "Alice", BOB: "Bob"}


def face(*values: float, model: str = MODEL, quality: float = 0.9) -> Embedding:
    vector = np.array(values, np.float32)
    return Embedding(model, vector / np.linalg.norm(vector), quality)


def exemplar(person: UUID, embedding: Embedding, kind: str = "face") -> Exemplar:
    return Exemplar(uuid4(), person, kind, embedding, "enrolled", AT)


def test_the_nearest_face_gives_the_name_and_likeness_the_confidence() -> None:
    gallery = Gallery.of([exemplar(ALICE, face(1, 0, 0)), exemplar(BOB, face(0, 1, 0))], NAMES, MODEL)
    sure, doubtful = gallery.match(face(0.1, 1, 0)), gallery.match(face(0.1, 0.3, 1))
    assert (sure.name, doubtful.name) == ("Bob", "Bob")
    assert sure.confidence > 0.9
    assert doubtful.confidence < 0.4


def test_a_stranger_gets_no_confidence() -> None:
    gallery = Gallery.of([exemplar(ALICE, face(1, 0, 0))], NAMES, MODEL)
    assert gallery.match(face(0, 0, 1)).confidence < 0.1


def test_faces_of_other_models_other_kinds_and_removed_persons_are_never_compared() -> None:
    strangers = [
        exemplar(ALICE, face(1, 0, model="sface-128")),
        exemplar(ALICE, face(1, 0), kind="appearance"),
        exemplar(uuid4(), face(1, 0, 0)),
    ]
    gallery = Gallery.of(strangers, NAMES, MODEL)
    assert gallery.names == ()
    assert gallery.match(face(1, 0, 0)).name == "unknown"
    known = Gallery.of([exemplar(ALICE, face(1, 0))], NAMES, MODEL)
    assert known.match(face(1, 0, 0, model="sface-128")).confidence == pytest.approx(0)


def test_a_face_of_another_size_under_the_model_s_name_is_left_out() -> None:
    faces = [exemplar(ALICE, face(1, 0, 0)), exemplar(BOB, face(1, 0)), exemplar(ALICE, face(0, 1, 0))]
    gallery = Gallery.of(faces, NAMES, MODEL)
    assert gallery.names == ("Alice",)
    assert gallery.match(face(1, 0, 0)).name == "Alice"
    assert (gallery.match(face(1, 0)).name, gallery.match(face(1, 0)).confidence) == ("unknown", 0.0)
