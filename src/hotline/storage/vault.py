"""Personal data at rest: encrypted with Fernet, found through a keyed index.

Source: Personal Information Protection Law, Article 51 (encryption and de-identification).
"""

import contextlib
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class VaultError(Exception):
    """A sealed value could not be opened: the key it was sealed with is missing, or the value was changed."""


class Vault:
    """Seals and opens personal data.

    ``keys`` are url-safe base64 Fernet keys, the newest first: it seals, all of them open.  ``index_key`` keys the
    blind index.
    """

    def __init__(self, keys: tuple[str, ...], index_key: str) -> None:
        self._each = [Fernet(key) for key in keys]
        self._fernet = MultiFernet(self._each)
        self._marks = tuple(hashlib.sha256(key.encode()).hexdigest()[:8] for key in keys)
        self._index_key = index_key.encode()

    def seal(self, plain: str | None) -> str | None:
        """Encrypt ``plain``; None stays None."""
        return None if plain is None else self._fernet.encrypt(plain.encode()).decode()

    def open(self, sealed: str | None) -> str | None:
        """Decrypt ``sealed``; None stays None.  Raises ``VaultError`` when no key fits."""
        if sealed is None:
            return None
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise VaultError("a sealed value does not open with the keys in HOTLINE_ENCRYPTION_KEYS") from error

    @property
    def marks(self) -> tuple[str, ...]:
        """The keys' marks, the newest first: eight digits by which a key is named without being told."""
        return self._marks

    def key_of(self, sealed: str) -> int | None:
        """Return which key opens ``sealed`` (0 is the newest), None when none does."""
        for number, fernet in enumerate(self._each):
            with contextlib.suppress(InvalidToken):
                fernet.decrypt(sealed.encode())
                return number
        return None

    def reseal(self, sealed: str) -> str:
        """Return ``sealed`` under the newest key.  Raises ``VaultError`` when no key fits."""
        try:
            return self._fernet.rotate(sealed.encode()).decode()
        except InvalidToken as error:
            raise VaultError("a sealed value does not open with the keys in HOTLINE_ENCRYPTION_KEYS") from error

    def derived_key(self, purpose: str) -> bytes:
        """Return a key of its own for ``purpose``, derived from the index key."""
        return hmac.new(self._index_key, f"derived:{purpose}".encode(), hashlib.sha256).digest()

    def index(self, plain: str) -> str:
        """Return the keyed digest by which equal values are found without opening them."""
        return hmac.new(self._index_key, plain.encode(), hashlib.sha256).hexdigest()
