"""Figures for Prometheus: a camera's, and which detector looks."""

import contextlib

from prometheus_client import CollectorRegistry, Gauge

from marengocam.core.model import CameraState
from marengocam.db.cameras import CameraStatus


def show_detector(registry: CollectorRegistry, name: str, why: str) -> None:
    """Show which detector looks and why it is this one, once it is loaded."""
    gauge = Gauge("marengocam_detector_info", "the detector in use", ["name", "because"], registry=registry)
    gauge.labels(name, why).set(1)


class CameraFigures:
    """One gauge per figure, labelled by camera."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._gauges: dict[str, Gauge] = {}

    def set(self, status: CameraStatus) -> None:
        """Show a camera's present figures."""
        figures = {"online": float(status.state is CameraState.ONLINE), **status.metrics}
        for name, value in figures.items():
            if name not in self._gauges:
                self._gauges[name] = Gauge(
                    f"marengocam_camera_{name}", f"{name} of a camera", ["camera"], registry=self._registry
                )
            self._gauges[name].labels(status.camera_id).set(value)

    def forget(self, camera_id: str) -> None:
        """Show no more of a camera that this process does not serve any longer."""
        for gauge in self._gauges.values():
            with contextlib.suppress(KeyError):
                gauge.remove(camera_id)
