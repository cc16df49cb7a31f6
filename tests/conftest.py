"""Fixtures that every room may use."""

import os

os.environ["MARENGOCAM_LOOPBACK_CAMERAS"] = "true"  # tests' cameras are on this machine; inherited by what they start

pytest_plugins = ["tests.support.docker_engine", "tests.support.compose", "tests.support.folders", "tests.support.hub"]
