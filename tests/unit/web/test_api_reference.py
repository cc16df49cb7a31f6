"""The page about the API tells what the API is."""

import os
import re
from pathlib import Path

from marengocam.web.access import MAX_FAILURES
from marengocam.web.answers import _CODES, STATUSES
from marengocam.web.openapi import document
from marengocam.web.reference import api_reference
from marengocam.web.service import ROUTES

PAGE = Path(__file__).resolve().parents[3] / "docs" / "ref" / "api.md"


def test_the_page_is_written_from_the_document():
    page = api_reference(document(ROUTES))
    if os.environ.get("MARENGOCAM_UPDATE_REFERENCE"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page


def test_every_error_code_is_explained_and_no_other():
    table = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE.read_text(), re.MULTILINE))
    told = {code: str(status) for _, status, code in STATUSES} | {code: str(status) for status, code in _CODES.items()}
    assert table == told | {"internal": "500"}
    assert f"{MAX_FAILURES} wrong tokens a minute" in PAGE.read_text()


def test_no_two_routes_share_an_operation_name():
    names = [route.handler.__name__ for route in ROUTES]
    assert sorted(set(names)) == sorted(names)
