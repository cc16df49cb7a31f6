"""Camera passwords at rest: Fernet (AES-128-CBC with HMAC-SHA256), key in a file of the data folder."""

import hashlib
import hmac
import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from marengocam.core.errors import StoreError
from marengocam.core.secret import Secret
from marengocam.lasting import fsync

KEY_FILE = "secret.key"


class Keyring:
    """Locks and unlocks secrets with the key file, which is made (0600) at first use."""

    def __init__(self, data_dir: Path, file: Path | None = None) -> None:
        self._file = file or data_dir / KEY_FILE
        self._key: bytes | None = None

    def lock(self, secret: Secret) -> bytes:
        """Return the secret, encrypted; raises StoreError when the key file is damaged."""
        try:
            fernet = Fernet(self._loaded())
        except ValueError:
            raise StoreError(
                f"The key file {self._file} is damaged: restore it from a backup, or remove it and enter the passwords "
                "of all cameras again."
            ) from None
        return fernet.encrypt(secret.reveal().encode())

    def unlock(self, encrypted: bytes) -> Secret:
        """Return what was locked.

        Raises StoreError when the key file is another one.
        """
        try:
            return Secret(Fernet(self._loaded()).decrypt(encrypted).decode())
        except (InvalidToken, ValueError):
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
        handle, partial = tempfile.mkstemp(prefix=f"{KEY_FILE}.", dir=self._file.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(partial, self._file)
        except FileExistsError:
            pass  # another process was first: its key is taken
        except OSError:
            Path(partial).replace(self._file)  # a file system without links
        Path(partial).unlink(missing_ok=True)
        fsync(self._file.parent)  # what is encrypted with it outlives a power cut, so the key must
        made = self._read()
        if made is None:
            raise StoreError(f"The key file {self._file} is empty: restore it from a backup, or remove it.")
        return made
