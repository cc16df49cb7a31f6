"""What ultralytics needs of torchvision to predict."""

from . import ops

__all__ = ["ops"]
__version__ = "0.28.0"
