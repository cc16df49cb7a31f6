"""Fixtures that every room may use."""

pytest_plugins = ["tests.support.folders", "tests.support.hub"]
