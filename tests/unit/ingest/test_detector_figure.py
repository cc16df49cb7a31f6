"""Which detector looks, and why, stands among the figures for Prometheus."""

from prometheus_client import CollectorRegistry, generate_latest

from marengocam.ingest.metrics import show_detector


def test_the_detector_and_the_reason_for_it_are_shown():
    registry = CollectorRegistry()
    show_detector(registry, "yolo11n-openvino-bf16-576", "this processor has BF16")
    shown = generate_latest(registry).decode()
    assert 'marengocam_detector_info{because="this processor has BF16",name="yolo11n-openvino-bf16-576"} 1.0' in shown
