"""Model files: which ones are known, where they are found, how they are fetched."""

from marengocam.vision.models.finder import Models
from marengocam.vision.models.registry import MODELS, ModelSpec, Role, spec_named

__all__ = ["MODELS", "ModelSpec", "Models", "Role", "spec_named"]
