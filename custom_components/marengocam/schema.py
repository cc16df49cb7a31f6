"""The validation library under one name, whichever of the two this Home Assistant carries."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import probatio as vol  # what the newest Home Assistant names in its annotations
else:
    import voluptuous as vol  # older ones carry it; newer ones answer to the name with probatio

__all__ = ["vol"]
