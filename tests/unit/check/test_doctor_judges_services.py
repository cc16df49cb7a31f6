"""`marengocam doctor` on services that answer."""

import pytest

from marengocam.check.doctor import service_diagnosis
from marengocam.runtime.health import Status


@pytest.mark.parametrize(("status", "state"), [("ok", "ok"), ("degraded", "warn"), ("failing", "fail")])
def test_a_service_is_as_well_as_it_says(status: Status, state: str):
    found = service_diagnosis("ingest", status, "the disk is full")
    assert (found.state, found.subject, found.text) == (state, "ingest", "the disk is full")


@pytest.mark.parametrize("status", [None, "", "fine", 1])
def test_an_answer_that_no_service_of_ours_gives_is_a_failure(status: object):
    assert service_diagnosis("ingest", status, "runs").state == "fail"
