"""Figures for Prometheus: a camera's, and which detector looks."""

import contextlib
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from marengocam.core.model import CameraState
from marengocam.db.cameras import CameraStatus
from marengocam.vision.detectors import Detector


def show_detector(registry: CollectorRegistry, detector: Detector) -> None:
    """Show which detector answers and why it is this one, as it is when asked: another may take its place."""
    registry.register(_DetectorFigure(detector))


class _DetectorFigure(Collector):
    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def collect(self) -> Iterator[GaugeMetricFamily]:
        figure = GaugeMetricFamily("marengocam_detector_info", "the detector in use", labels=["name", "because"])
        if getattr(self._detector, "answers", True):
            figure.add_metric([self._detector.name, str(getattr(self._detector, "why", ""))], 1)
        yield figure


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
