"""Logging in, and what messages and descriptions say."""

import hashlib
import re

import pytest

from marengocam.core.secret import Secret
from marengocam.media.rtsp.description import read_description
from marengocam.media.rtsp.login import Login
from marengocam.media.rtsp.messages import MessageError, head_of

URL = "rtsp://camera/stream"


def digest(login: Login, method: str = "DESCRIBE", url: str = URL) -> dict[str, str]:
    text = login.headers(method, url)["Authorization"]
    assert text.startswith("Digest ")
    return {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', text)}


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_nothing_is_told_before_it_is_asked_for():
    assert Login("me", Secret("secret")).headers("DESCRIBE", URL) == {}


def test_basic_is_answered_with_user_and_password():
    login = Login("Aladdin", Secret("open sesame"))
    assert login.challenge(['Basic realm="camera"'])
    assert login.headers("DESCRIBE", URL) == {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}  # RFC 7617


def test_digest_goes_before_basic_and_does_not_show_the_password():
    login = Login("me", Secret("s3cret, with: signs"))
    assert login.challenge(['Basic realm="x"', 'Digest realm="a, b", nonce="abc", opaque="o"'])
    told = digest(login)
    assert told["response"] == md5(f"{md5('me:a, b:s3cret, with: signs')}:abc:{md5(f'DESCRIBE:{URL}')}")
    assert (told["opaque"], told["uri"]) == ("o", URL)
    assert "s3cret" not in str(told)


def test_digest_as_the_rfc_shows_it(monkeypatch):
    monkeypatch.setattr("marengocam.media.rtsp.login.secrets.token_hex", lambda _: "0a4f113b")
    login = Login("Mufasa", Secret("Circle Of Life"))  # RFC 2617, 3.5
    login.challenge(
        ['Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"']
    )
    told = digest(login, "GET", "/dir/index.html")
    assert told["response"] == "6629fae49393a05397450978507c4ef1"
    assert (told["nc"], told["qop"]) == ("00000001", "auth")
    assert digest(login, "GET", "/dir/index.html")["nc"] == "00000002"


def test_sha_256_is_known_and_other_ways_are_not():
    login = Login("me", Secret("secret"))
    assert login.challenge(['Digest realm="r", nonce="n", algorithm=SHA-256'])
    assert len(digest(login)["response"]) == 64
    assert not login.challenge(['Digest realm="r", nonce="n", algorithm=MD5-sess', "Negotiate"])
    assert login.headers("DESCRIBE", URL) == {}


def test_an_answer_tells_status_headers_and_the_size_of_its_body():
    answer, size = head_of(
        b'RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nWWW-Authenticate: Basic realm="a"\r\nWWW-Authenticate: Digest x'
    )
    assert (answer.status, size) == (401, 0)
    assert answer.challenges() == ['Basic realm="a"', "Digest x"]
    assert head_of(b"RTSP/1.0 200 OK\r\nContent-Length: 12")[1] == 12
    assert head_of(b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1")[0].status == 0, "a question of the camera's own"


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\nA: b", b"", b"RTSP/1.0", b"RTSP/1.0 abc\r\n", b"RTSP/1.0 200 OK\r\nContent-Length: 99999999",
     b"RTSP/1.0 200 OK\r\nContent-Length: -1", b"<html>"],
)  # fmt: skip
def test_what_is_no_message_is_refused(head):
    with pytest.raises(MessageError):
        head_of(head)


SDP = b"""v=0\r
a=control:*\r
m=video 0 RTP/AVP 96\r
a=rtpmap:96 H264/90000\r
a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0IA,aM4=\r
a=control:trackID=1\r
m=audio 0 RTP/AVP 97\r
a=rtpmap:97 mpeg4-generic/16000/2\r
a=fmtp:97 mode=AAC-hbr; SizeLength=13; IndexLength=3; config=1408\r
a=control:trackID=2\r
m=audio 0 RTP/AVP 0\r
m=application 0 RTP/AVP 107\r
a=rtpmap:107 vnd.onvif.metadata/90000\r
"""


def test_a_description_names_its_tracks():
    described = read_description(SDP)
    assert [(one.kind, one.encoding, one.clock_hz, one.channels, one.control) for one in described.tracks] == [
        ("video", "H264", 90_000, 1, "trackID=1"),
        ("audio", "MPEG4-GENERIC", 16_000, 2, "trackID=2"),
        ("audio", "PCMU", 8_000, 1, ""),
        ("application", "VND.ONVIF.METADATA", 90_000, 1, ""),
    ]
    assert [one.is_ours for one in described.tracks] == [True, True, True, False]


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"H264", b"JPEG"), (b"packetization-mode=1", b"packetization-mode=2"), (b"H264/90000", b"H264/x"),
     (b"H264/90000", b"H265/90000\r\na=fmtp:96 sprop-max-don-diff=2")],
)  # fmt: skip
def test_what_is_sent_in_another_way_is_left_to_ffmpeg(before, after):
    video = read_description(SDP.replace(before, after)).first("video")
    assert video is not None
    assert not video.is_ours


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe\x00", b"m=\r\n", b"m=video\r\na=rtpmap:x\r\n", b"a=fmtp:\r\nm=audio 0 x 8"]
)
def test_what_is_no_description_names_none_of_ours(text):
    assert not any(one.kind == "video" and one.is_ours for one in read_description(text).tracks)
