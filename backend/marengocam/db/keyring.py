"""Camera passwords at rest: Fernet (AES-128-CBC with HMAC-SHA256), key in a file of the data folder."""

import contextlib
import hashlib
import hmac
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from marengocam.core.errors import StoreError
from marengocam.core.secret import Secret

KEY_FILE = "secret.key"


class Keyring:
    """Locks and unlocks secrets with the key file, which is made (0600) at first use."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / KEY_FILE
        self._key: bytes | None = None

    def lock(self, secret: Secret) -> bytes:
        """Return the secret, encrypted."""
        return Fernet(self._loaded()).encrypt(secret.reveal().encode())

    def unlock(self, encrypted: bytes) -> Secret:
        """Return what was locked.

        Raises StoreError when the key file is another one.
        """
        try:
            return Secret(Fernet(self._loaded()).decrypt(encrypted).decode())
        except InvalidToken:
            raise StoreError(
                f"A camera password cannot be read with the key {self._file}: restore that file from a backup, "
                "or enter the camera's password again."
            ) from None

    def signing_key(self, purpose: str) -> bytes:
        """Return a key for signatures of one purpose, derived from the key file."""
        return hmac.new(self._loaded(), purpose.encode(), hashlib.sha256).digest()

    def _loaded(self) -> bytes:
        if self._key is None:
            self._key = self._read() or self._make()
        return self._key

    def _read(self) -> bytes | None:
        try:
            return self._file.read_bytes().strip() or None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"The key file {self._file} cannot be read: {error.strerror}.") from error

    def _make(self) -> bytes:
        """Write a new key under its name in one step, so that processes starting together agree on one."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_name(f"{KEY_FILE}.{os.getpid()}")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(partial, self._file)
        partial.unlink()
        made = self._read()
        if made is None:
            raise StoreError(f"The key file {self._file} could not be written.")
        return made
