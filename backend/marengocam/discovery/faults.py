"""What can go wrong in asking a camera, each with a sentence for its owner; the camera's own texts are not repeated."""

from marengocam.core.errors import BadInputError, MediaError


class OnvifLoginError(BadInputError):
    """The camera did not accept the user name and password; enter those of its ONVIF user."""

    def __init__(self, more: str = "") -> None:
        super().__init__(
            "The camera did not accept the user name and password for ONVIF: enter them again; "
            f"some cameras need a user of their own for ONVIF.{more}"
        )


class OnvifError(MediaError):
    """The camera cannot be asked; the message says what to look at."""


class OnvifSilentError(OnvifError):
    """No answer in time; further questions would only wait as long."""


class OnvifRefusedError(OnvifError):
    """The camera understood the question and will not answer it."""


SILENT = "The camera did not answer ONVIF in time: check its address and port, and restart it if this lasts."
UNREACHABLE = "The camera cannot be reached: check its address and port, its power and the network."
NOT_ONVIF = (
    "What answers there does not speak ONVIF: check address and port, and that ONVIF is switched on in the camera."
)
TOO_LARGE = "What answers there sends more than an ONVIF camera would: check address and port."
ELSEWHERE = "What answers there points to another host: give that host itself if it is the camera."
REFUSED = "The camera does not answer what MarengoCam has to know: give its stream's rtsp:// address instead."
NO_MEDIA = "The camera tells of no streams by ONVIF: give its stream's rtsp:// address instead."
NO_PROFILE = (
    "The camera offers no H.264, H.265 or MJPEG stream by ONVIF: change its settings, or give an rtsp:// address."
)
