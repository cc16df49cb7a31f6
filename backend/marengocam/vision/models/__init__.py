"""Model files: which ones are known, where they are found, how they are fetched."""

from marengocam.vision.models.finder import Models
from marengocam.vision.models.registry import ModelSpec, Role

__all__ = ["ModelSpec", "Models", "Role"]
