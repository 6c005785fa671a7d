"""Secrets that must be readable again: the switch needs a line's password in clear."""

import base64
import secrets

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# Without characters that are mistaken for one another when read out on the telephone.
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def encrypt(clear: str) -> str:
    return _cipher().encrypt(clear.encode()).decode()


def decrypt(stored: str) -> str:
    """The clear text. Raises ValueError when no current key fits (SECRET_KEY was changed)."""
    try:
        return _cipher().decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise ValueError(
            "The secret cannot be read: was SECRET_KEY changed without adding the old one "
            "to SECRET_KEY_FALLBACKS?"
        ) from error


def random_password(length: int = 20) -> str:
    """About 5.8 bits a character: 20 give 115 bits, enough against offline guessing."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def random_pin(length: int = 6) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(length))


def _cipher() -> MultiFernet:
    return MultiFernet(
        [
            Fernet(_derive(key))
            for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        ]
    )


def _derive(key: str) -> bytes:
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=b"trunkline secrets")
    return base64.urlsafe_b64encode(derived.derive(key.encode()))
