"""Fixtures that every room may use."""

pytest_plugins = ["tests.support.docker_engine", "tests.support.folders", "tests.support.hub"]
