"""The key that signs webhooks: made once, kept in the hub, since who signs and who shows it share nothing else."""

import base64
import hashlib
import hmac
import secrets
from uuid import UUID

from marengocam.core.secret import Secret
from marengocam.db.access import SettingsStore

KEY = "webhook_key"
KEY_BYTES = 32
PREFIX = "whsec_"


async def webhook_secret(store: SettingsStore, rule_id: UUID) -> Secret:
    """Return the secret of one rule's webhooks, in the form of Standard Webhooks; each rule has its own."""
    key = await store.first(KEY, secrets.token_hex(KEY_BYTES))
    digest = hmac.new(bytes.fromhex(key), rule_id.bytes, hashlib.sha256).digest()
    return Secret(PREFIX + base64.b64encode(digest).decode())


def signature(secret: Secret, delivery_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of the header webhook-signature (Standard Webhooks, version 1)."""
    key = base64.b64decode(secret.reveal().removeprefix(PREFIX))
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
