"""One root for every error of ours; each docstring is what the reader should do."""


class MarengoCamError(Exception):
    """Root of all errors that MarengoCam raises on purpose; `str(error)` is fit to show to an owner."""


class BadInputError(MarengoCamError):
    """What was given cannot be used; the message says what to change (HTTP 400)."""


class NotFoundError(MarengoCamError):
    """The named thing does not exist (HTTP 404)."""


class ConflictError(MarengoCamError):
    """It clashes with what is already there, such as a name in use (HTTP 409)."""


class HubUnavailableError(MarengoCamError):
    """The database did not answer in time; nothing was lost, try again (HTTP 503)."""


class MediaError(MarengoCamError):
    """A stream or file cannot be read; the message names the cause and the mend, never a password."""


class StoreError(MarengoCamError):
    """The media folder cannot be written or is the wrong disk."""


class ModelError(MarengoCamError):
    """A model file is missing, damaged or not usable here."""


class NoAnswerError(ModelError):
    """A model's call hangs; go on without it."""


class FaceEngineError(MarengoCamError):
    """The face engine failed, timed out or is cut off by its breaker."""


class LeaseLostError(MarengoCamError):
    """Another process holds the lease now; stop writing for that camera."""
