"""Detectors behind one protocol: pictures in, labelled boxes out."""

from marengocam.vision.detectors.choice import load_detector
from marengocam.vision.detectors.protocol import Detector

__all__ = ["Detector", "load_detector"]
