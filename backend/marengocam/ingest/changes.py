"""Which changes of a camera need new connections; all others are taken over while it is read and recorded.

Another second stream is one of these: it is connected alone, and the recording of the main stream goes on.
"""

from marengocam.core.model import Camera


def reads_anew(before: Camera, after: Camera) -> bool:
    """Return whether a change touches how a camera is reached or what is asked of it, or is a wish to begin anew."""
    return _reached_by(before) != _reached_by(after) or (after.recording.sound and not before.recording.sound)


def _reached_by(camera: Camera) -> tuple[object, ...]:
    return (
        camera.main_url,
        camera.username,
        camera.password,
        camera.transport,
        camera.enabled,
        camera.restarts,
    )
