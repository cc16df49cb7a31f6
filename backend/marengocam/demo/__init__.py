"""Scenes with known truth, an RTSP server, and everything else the demo command needs."""
