"""What the backend says, as frozen values; a field that is new is ignored, one that is gone is an error."""

from .backend import Health, Info, Models, Preferences, ServiceHealth, Storage, Survival
from .cameras import Camera, Chunk, FoundCamera, Gap, Probe, Recording, Streams, Zone
from .events import Event, EventPage, Replay, ReplayDifference
from .persons import Person, Stop, Visit, Word

__all__ = [
    "Camera",
    "Chunk",
    "Event",
    "EventPage",
    "FoundCamera",
    "Gap",
    "Health",
    "Info",
    "Models",
    "Person",
    "Preferences",
    "Probe",
    "Recording",
    "Replay",
    "ReplayDifference",
    "ServiceHealth",
    "Stop",
    "Storage",
    "Streams",
    "Survival",
    "Visit",
    "Word",
    "Zone",
]
