"""Fixtures that every room may use."""

import os

from hypothesis import HealthCheck, settings

os.environ["MARENGOCAM_LOOPBACK_CAMERAS"] = "true"  # tests' cameras are on this machine; inherited by what they start

# How long an example takes tells how busy the machine is.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

pytest_plugins = ["tests.support.docker_engine", "tests.support.compose", "tests.support.folders", "tests.support.hub"]
