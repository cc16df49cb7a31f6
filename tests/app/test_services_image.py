"""The image of the services: what is in it, and what is not."""

import json

import pytest
from tests.support.docker_engine import Engine

from marengocam import __version__

pytestmark = pytest.mark.timeout(900)
SIZE_LIMIT_BYTES = 720 * 1000 * 1000


@pytest.fixture(scope="module")
def inspected(docker_engine: Engine, services_image: str) -> dict:
    return json.loads(docker_engine("image", "inspect", services_image))[0]


def test_it_runs_the_command_as_somebody_who_is_not_root(docker_engine, services_image, inspected):
    said = docker_engine("run", "--rm", "--network=none", "--read-only", services_image, "--version")
    assert said.strip() == f"marengocam {__version__}"
    assert inspected["Config"]["User"] == "marengocam"


def test_every_service_can_be_loaded_without_pip_and_without_writing(docker_engine, services_image):
    program = (
        "import importlib, importlib.util, os\n"
        "from marengocam.cli.services import SERVICES\n"
        "for module, name, _ in SERVICES.values(): getattr(importlib.import_module(module), name)\n"
        "import openvino; assert 'CPU' in openvino.Core().available_devices\n"
        "assert importlib.util.find_spec('pip') is None and importlib.util.find_spec('torch') is None\n"
        "assert not os.access('/opt/marengocam/code/marengocam/settings.py', os.W_OK)\n"
        "print('loaded')\n"
    )
    said = docker_engine(
        "run", "--rm", "--interactive", "--network=none", "--read-only", "--cap-drop=ALL",
        "--entrypoint=/opt/marengocam/bin/python", services_image, "-", stdin=program,
    )  # fmt: skip
    assert said.strip().endswith("loaded")


def test_it_is_small(inspected):
    assert inspected["Size"] < SIZE_LIMIT_BYTES
