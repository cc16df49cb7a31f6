"""A small RTSP server that shows files as live cameras: for the demo, and a peer for tests."""

from marengocam.demo.rtsp.server import RtspServer

__all__ = ["RtspServer"]
