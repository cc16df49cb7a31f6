"""The report that the demo writes when it ends."""

from marengocam.demo.report import confirmed_names


def test_whoever_was_erased_while_it_ran_has_no_name_in_it():
    kinds = [
        ("person_confirmed", "Bob"),
        ("person_confirmed", None),
        ("person_confirmed", "Alice"),
        ("visit_ended", "C"),
    ]
    assert confirmed_names([{"type": kind, "person_name": name} for kind, name in kinds]) == ["Alice", "Bob"]
