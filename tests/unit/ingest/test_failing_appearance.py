"""An appearance model that fails for good is told in health; one failure, or its end, is not."""

import numpy as np
import pytest

from marengocam.core.model import Embedding
from marengocam.ingest.answering_eyes import APPEARANCE_FAILS, FAILURES_TOLD, AnsweringEncoder

CROP = np.zeros((64, 32, 3), np.uint8)
LOOK = Embedding("any", np.ones(4, np.float32) / 2, 1.0)


class Moody:
    model = "any"
    fails = True

    def encode(self, crops):
        if self.fails:
            raise RuntimeError("broken network")
        return [LOOK for _ in crops]


def test_failures_in_succession_are_told_until_one_look_succeeds():
    model = Moody()
    encoder = AnsweringEncoder(model, Moody)
    for number in range(FAILURES_TOLD):
        assert encoder.problem == "", f"after {number} failures"
        with pytest.raises(RuntimeError):
            encoder.encode([CROP])
    assert encoder.problem == APPEARANCE_FAILS
    model.fails = False
    assert encoder.encode([CROP]) == [LOOK]
    assert encoder.problem == ""
