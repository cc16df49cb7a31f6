"""No secret reaches a log line."""

import io
import json
import logging

from marengocam.core.secret import Secret
from marengocam.runtime.logs import Redaction, _Json, start_logging


def test_passwords_tokens_and_signatures_are_hidden():
    redaction = Redaction([Secret("hunter2-known")])
    text = redaction.hide(
        "rtsp://me:pa55@host/x Bearer abc.def mc_0123456789012345678901234567890 "
        "/media/a?expires=1&signature=abcdef hunter2-known"
    )
    for secret in ("pa55", "abc.def", "mc_01234", "abcdef", "hunter2"):
        assert secret not in text
    assert "rtsp://***@host/x" in text


def test_a_password_with_an_at_sign_is_hidden_whole():
    address = "postgresql://me:pa@55word@host/x"
    assert "55word" not in Redaction().hide(address)
    assert "55word" not in Redaction([Secret("pa@55word")]).hide(f"{address} pa@55word")


def test_a_secret_never_shows_itself():
    assert "x1y2" not in f"{Secret('x1y2')} {Secret('x1y2')!r} {[Secret('x1y2')]}"


def test_errors_with_secrets_are_hidden_in_stacks_too(monkeypatch):
    stream = io.StringIO()
    start_logging("test", "INFO", as_json=True)
    root = logging.getLogger()
    handler = root.handlers[0]
    handler.setStream(stream)
    assert isinstance(handler.formatter, _Json)
    try:
        int("rtsp://me:pa55@host/x")
    except ValueError:
        logging.getLogger("x").exception("it failed")
    finally:
        root.handlers.clear()
    entry = json.loads(stream.getvalue())
    assert "pa55" not in stream.getvalue()
    assert "rtsp://***@host/x" in entry["stack"]
