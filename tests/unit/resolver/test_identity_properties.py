"""Laws of the decision that hold whatever the evidence."""

from dataclasses import replace
from math import exp, isclose

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.resolver_scenes import LEFT, RIGHT, clothes_of, face_of, ident, looks_of, person, sight, track

from marengocam.core.calibration import face_log_ratio
from marengocam.core.identity import CameraGraph, Surroundings
from marengocam.resolver.candidates import hypotheses
from marengocam.resolver.cues import log_sum_exp
from marengocam.resolver.decision import decide
from marengocam.resolver.fusion import weighed_faces

IDENTITIES = {"i1": None, "i2": None, "i3": "Alice", "i4": "Bob"}
cosines = st.floats(-1, 1)
names = st.sampled_from(sorted(IDENTITIES))


@st.composite
def sights(draw):
    identity = draw(names)
    start = draw(st.floats(-3000, 3000))
    return sight(
        draw(st.uuids()).hex,
        identity,
        camera=draw(st.sampled_from(["front", "yard", "hall"])),
        start_s=start,
        end_s=start + draw(st.floats(0, 30)),
        box=draw(st.sampled_from([LEFT, RIGHT])),
        of=IDENTITIES[identity],
        probability=draw(st.floats(0, 1)),
    )


@st.composite
def likenesses(draw):
    if draw(st.booleans()):
        return face_of(draw(st.sampled_from(["Alice", "Bob"])), draw(cosines))
    identity = draw(names)
    return clothes_of(identity, draw(cosines), of=IDENTITIES[identity], trust=draw(st.floats(0, 1)))


def told(seen, looks, persons):
    return Surroundings(tuple(seen), persons, faces=looks_of("face", looks), appearances=looks_of("appearance", looks))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(sights(), max_size=8),
    st.lists(likenesses(), max_size=12),
    st.randoms(use_true_random=False),
    st.floats(0, 1),
)
def test_probabilities_sum_to_one_and_the_order_of_arrival_does_not_matter(seen, looks, random, quality):
    subject = track(face=True, clothes=True, end_s=3, quality=quality)
    persons = (person("Alice"), person("Bob"))
    one = told(seen, looks, persons)
    found = hypotheses(subject, one, CameraGraph(), None)
    total = log_sum_exp([*(each.log_odds for each in found.ordered), found.crowd])
    assert isclose(sum(found.probabilities()) + exp(found.crowd - total), 1.0, abs_tol=1e-9)
    random.shuffle(seen)
    random.shuffle(looks)
    other = told(seen, looks, persons[::-1])
    first, second = (decide(subject, s, CameraGraph(), None, 0.95) for s in (one, other))
    assert first.confirmed_person_id == second.confirmed_person_id
    assert (first.chosen.identity_id, first.chosen.person_id) == (second.chosen.identity_id, second.chosen.person_id)
    assert isclose(first.probability, second.probability, abs_tol=1e-9)
    assert 0 <= first.probability <= 1


@given(cosines, st.floats(0, 1))
def test_distrust_only_ever_weakens_evidence(cosine, trust):
    seen = replace(face_of("Alice", cosine), trust=trust)
    subject = track(face=True).face
    weakened = weighed_faces(subject, looks_of("face", [seen])).get(ident("Alice"))
    ratio = face_log_ratio(seen.model, cosine, subject.quality, seen.quality)
    assert min(ratio, 0) - 1e-2 <= weakened.log_ratio <= max(ratio, 0) + 1e-9
