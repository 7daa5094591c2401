"""Files outside the database and outside what the web server serves by itself, named after their content.

Several machines share the folder, or mount the same one.
"""

import os
import tempfile
from hashlib import sha256
from pathlib import Path


class FileStore:
    """Files below ``folder``, each under the SHA-256 of its content; the same content lies there once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        """Write ``content`` and return its digest; a crash leaves the whole file or none."""
        digest = self.digest_of(content)
        path = self._path(digest)
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(path)
        return digest

    @staticmethod
    def digest_of(content: bytes) -> str:
        """Return the digest under which ``content`` lies, or would."""
        return sha256(content).hexdigest()

    def has(self, digest: str) -> bool:
        """Tell whether there is a file with this digest."""
        return self._path(digest).is_file()

    def read(self, digest: str) -> bytes | None:
        """Return the content with this digest, None when it is not there."""
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, digest: str) -> None:
        """Remove it, where it is there."""
        self._path(digest).unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        if len(digest) != sha256().digest_size * 2 or not digest.isalnum():
            raise ValueError("this is no digest")
        return self._folder / digest[:2] / digest[2:]
