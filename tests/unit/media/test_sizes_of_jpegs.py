"""The size that a JPEG's header tells: right for real ones, and nothing for any other bytes."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marengocam.media.parameters import jpeg_size


@pytest.mark.parametrize("progressive", [0, 1])
@pytest.mark.parametrize(("width", "height"), [(192, 96), (1, 1), (2560, 1440)])
def test_the_size_of_a_real_picture_is_told(width, height, progressive):
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    jpeg = cv2.imencode(".jpg", np.zeros((height, width, 3), np.uint8), options)[1].tobytes()
    assert jpeg_size(jpeg) == (width, height)
    assert jpeg_size(memoryview(jpeg)) == (width, height)
    assert [size for end in range(len(jpeg)) if (size := jpeg_size(jpeg[:end])) not in {None, (width, height)}] == []


@given(st.binary(max_size=400))
def test_any_bytes_tell_a_size_or_none(content):
    for jpeg in (content, b"\xff\xd8\xff" + content):
        size = jpeg_size(jpeg)
        assert size is None or min(size) > 0
