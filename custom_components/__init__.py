"""Makes this folder a package, so that Home Assistant's test harness finds it."""
