"""The figures about identity, by hand."""

from uuid import UUID

import pytest
from tests.bench.identity_figures import Decided, calibration, identity_f1, mixed_and_torn, names

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))


def decided(
    who: str, identity: UUID, name: str | None = None, probability: float = 0.9, seconds: float = 10
) -> Decided:
    return Decided(who, identity, name, probability, seconds)


def test_everybody_told_apart_is_an_identity_f1_of_one() -> None:
    right = [decided("A", ONE), decided("A", ONE), decided("B", TWO)]
    assert identity_f1(right)["idf1"] == 1.0
    assert mixed_and_torn(right) == {"merges": 0, "splits": 0}


def test_a_person_torn_in_two_counts_with_the_larger_part() -> None:
    torn = [decided("A", ONE, seconds=30), decided("A", TWO, seconds=10), decided("B", THREE, seconds=10)]
    assert identity_f1(torn)["idf1"] == 0.8
    assert mixed_and_torn(torn) == {"merges": 0, "splits": 1}


def test_two_people_taken_for_one_count_for_one_of_them() -> None:
    mixed = [decided("A", ONE, seconds=30), decided("B", ONE, seconds=20)]
    assert identity_f1(mixed)["idf1"] == 0.6
    assert mixed_and_torn(mixed) == {"merges": 1, "splits": 0}


def test_names_are_right_of_whom_they_are_said_and_found_of_whom_they_could_be() -> None:
    told = [decided("A", ONE, "A"), decided("A", TWO), decided("B", THREE, "A"), decided("C", TWO)]
    assert names(told, {"A"}) == {"named": 2, "wrong_names": 1, "precision": 0.5, "recall": 0.5}


def test_probabilities_hold_when_as_many_are_right_as_was_told() -> None:
    honest = [decided("A", ONE, "A" if number < 9 else "B") for number in range(10)]
    told = calibration(honest)
    assert told["ece"] == pytest.approx(0.0, abs=1e-9)
    assert told["reliability"] == [{"told": 0.9, "right": 0.9, "tracks": 10}]
    boastful = calibration([decided("A", ONE, "B", 0.95) for _ in range(4)])
    assert boastful["ece"] == pytest.approx(0.95)
    assert boastful["brier"] == pytest.approx(0.95**2)
    assert calibration([decided("A", ONE)])["ece"] is None
