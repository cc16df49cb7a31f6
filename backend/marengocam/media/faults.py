"""What can be wrong with a stream, each with a sentence for the camera's owner; FFmpeg's own texts name addresses."""

from enum import StrEnum

import av

from marengocam.core.errors import MediaError


class Fault(StrEnum):
    """Kinds of trouble with a stream."""

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    AUTH = "auth"
    NOT_FOUND = "not_found"
    NO_VIDEO = "no_video"
    NOT_VIDEO = "not_video"
    CODEC = "codec"
    TRANSPORT = "transport"
    TOO_LARGE = "too_large"
    NO_SIZE = "no_size"
    STALLED = "stalled"
    NO_KEYFRAME = "no_keyframe"
    FORBIDDEN = "forbidden"
    REDIRECT = "redirect"
    ENDED = "ended"
    OTHER = "other"


SENTENCES = {
    Fault.REFUSED: "The camera refused the connection: check the port in its address and that RTSP is switched on.",
    Fault.UNREACHABLE: "The camera cannot be reached: check its address, its power and the network.",
    Fault.AUTH: "The camera did not accept the user name and password: enter them again.",
    Fault.NOT_FOUND: "The camera has no stream under this path: check the path in its address.",
    Fault.NO_VIDEO: "The stream carries no video: check the path in the camera's address.",
    Fault.NOT_VIDEO: "What answers there is not a video stream: check the address.",
    Fault.CODEC: "The video codec is not supported: set the camera to H.264 or H.265.",
    Fault.TRANSPORT: "The camera does not send its stream this way: set its transport to the other of TCP and UDP.",
    Fault.TOO_LARGE: "The camera's picture is too large: choose a smaller resolution in the camera.",
    Fault.NO_SIZE: (
        "The camera's video is damaged, or claims to be larger than any there is: "
        "restart the camera, then choose another resolution or codec."
    ),
    Fault.STALLED: "The camera is connected but sends no video: restart it if this lasts.",
    Fault.NO_KEYFRAME: "The camera sends video without keyframes: set a keyframe (I-frame) every 1 to 2 seconds.",
    Fault.FORBIDDEN: "Cameras are not read from this address.",
    Fault.REDIRECT: "The camera's address only leads on to another one: enter the address where the video is.",
    Fault.ENDED: "The camera ended the stream; it is opened again.",
    Fault.OTHER: "The stream cannot be read: check the address and the camera's settings.",
}


class StreamError(MediaError):
    """Trouble with a stream; `kind` says which, the text what to do."""

    def __init__(self, kind: Fault, detail: str = "") -> None:
        super().__init__(SENTENCES[kind] + (f" ({detail})" if detail else ""))
        self.kind = kind


def fault_of(error: BaseException) -> Fault:
    """Return the kind of trouble behind an error of FFmpeg or the system."""
    for kinds, fault in _KINDS:
        if isinstance(error, kinds):
            return fault
    code = getattr(error, "errno", None)
    return _BY_ERRNO.get(code, Fault.OTHER) if code is not None else Fault.OTHER


_KINDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Fault], ...] = (
    ((av.HTTPUnauthorizedError, av.HTTPForbiddenError), Fault.AUTH),
    ((av.HTTPNotFoundError, av.FileNotFoundError), Fault.NOT_FOUND),
    (av.ConnectionRefusedError, Fault.REFUSED),
    ((av.TimeoutError, av.ExitError), Fault.STALLED),
    (av.EOFError, Fault.ENDED),
    ((av.InvalidDataError, av.DemuxerNotFoundError, av.ProtocolNotFoundError, av.PatchWelcomeError), Fault.NOT_VIDEO),
    (av.DecoderNotFoundError, Fault.CODEC),
    ((av.ConnectionResetError, av.BrokenPipeError, av.ConnectionAbortedError), Fault.ENDED),
    ((av.HTTPBadRequestError, av.HTTPOtherClientError, av.HTTPServerError), Fault.NOT_FOUND),
)
_BY_ERRNO = {
    93: Fault.TRANSPORT,  # EPROTONOSUPPORT: FFmpeg's word for RTSP's "461 Unsupported Transport"
    100: Fault.UNREACHABLE,  # ENETDOWN
    101: Fault.UNREACHABLE,  # ENETUNREACH
    110: Fault.UNREACHABLE,  # ETIMEDOUT
    111: Fault.REFUSED,  # ECONNREFUSED
    112: Fault.UNREACHABLE,  # EHOSTDOWN
    113: Fault.UNREACHABLE,  # EHOSTUNREACH
    5: Fault.UNREACHABLE,  # EIO: FFmpeg says so for a name that cannot be resolved
}
