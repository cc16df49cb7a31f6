"""A camera made by GStreamer's RTSP server: a stack that is not ours and not FFmpeg's.

Run by the system's Python, which has its bindings; `tests/support/gst_camera.py` starts it. Prints its port, then
serves a test picture at /cam until its standard input ends.
"""

import argparse
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - versions are chosen before

FPS = 15
WIDTH_PX, HEIGHT_PX = 320, 240
ROLE = "viewer"
PICTURES = {
    "h264": (
        f"x264enc tune=zerolatency speed-preset=ultrafast key-int-max={FPS} threads=1 ! rtph264pay config-interval=-1"
    ),
    "h265": (
        "x265enc tune=zerolatency speed-preset=ultrafast "
        f"option-string=keyint={FPS}:bframes=0:log-level=none:pools=none ! rtph265pay config-interval=-1"
    ),
    "mjpeg": "jpegenc ! rtpjpegpay",
    "vp8": f"vp8enc deadline=1 keyframe-max-dist={FPS} ! rtpvp8pay",
}
SOUNDS = {
    "aac": (16_000, "avenc_aac ! aacparse ! rtpmp4gpay pt=97"),
    "pcmu": (8_000, "mulawenc ! rtppcmupay"),
    "pcma": (8_000, "alawenc ! rtppcmapay"),
}
PAYLOAD_TYPES = {"mjpeg": 26}
TRANSPORTS = {"tcp": GstRtsp.RTSPLowerTrans.TCP, "udp": GstRtsp.RTSPLowerTrans.UDP}
METHODS = {"basic": GstRtsp.RTSPAuthMethod.BASIC, "digest": GstRtsp.RTSPAuthMethod.DIGEST}


def pipeline(codec: str, sound: str | None) -> str:
    """Return the description of what is filmed, in gst-launch's words."""
    picture = (
        f"videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width={WIDTH_PX},height={HEIGHT_PX},"
        f"framerate={FPS}/1 ! {PICTURES[codec]} name=pay0 pt={PAYLOAD_TYPES.get(codec, 96)}"
    )
    if sound is None:
        return f"( {picture} )"
    rate_hz, coder = SOUNDS[sound]
    return (
        f"( {picture} audiotestsrc is-live=true ! audioconvert ! audioresample ! "
        f"audio/x-raw,rate={rate_hz},channels=1 ! {coder} name=pay1 )"
    )


def authentication(method: str | None, login: str, certificate: str | None) -> GstRtspServer.RTSPAuth | None:
    """Return what guards the server, None when anybody may look."""
    if method is None and certificate is None:
        return None
    auth = GstRtspServer.RTSPAuth()
    if certificate is not None:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(certificate))
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    if method is None:
        auth.set_default_token(token)
        return auth
    user, _, password = login.partition(":")
    auth.set_supported_methods(METHODS[method])
    if method == "basic":
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    else:
        auth.add_digest(user, password, token)
    return auth


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codec", choices=PICTURES, default="h264")
    parser.add_argument("--sound", choices=SOUNDS)
    parser.add_argument("--only", choices=TRANSPORTS, help="refuse the other transport")
    parser.add_argument("--auth", choices=METHODS)
    parser.add_argument("--login", default="", help="user:password")
    parser.add_argument("--certificate", help="PEM file with key and certificate: RTSPS")
    parser.add_argument("--port", default="0")
    asked = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer(address="127.0.0.1", service=asked.port)
    factory = GstRtspServer.RTSPMediaFactory(launch=pipeline(asked.codec, asked.sound), shared=True)
    if asked.only:
        factory.set_protocols(TRANSPORTS[asked.only])
    auth = authentication(asked.auth, asked.login, asked.certificate)
    if auth is not None:
        permissions = GstRtspServer.RTSPPermissions()
        for name in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role(ROLE, name, True)
        factory.set_permissions(permissions)
        server.set_auth(auth)
    server.get_mount_points().add_factory("/cam", factory)
    if not server.attach(None):
        sys.exit("the port is in use")
    print(server.get_bound_port(), flush=True)  # noqa: T201 - how the test learns it
    loop = GLib.MainLoop()
    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, lambda *_: loop.quit())
    loop.run()


if __name__ == "__main__":
    main()
