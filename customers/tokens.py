"""One-time links to choose a password: they die with the password they were made for."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from customers.models import Person

__all__ = ["reset_link", "reset_tokens", "welcome_link", "welcome_tokens"]


class PasswordLinkTokens(PasswordResetTokenGenerator):
    """Django's tokens with a validity of their own and a purpose they cannot leave."""

    def __init__(self, purpose: str, timeout: int) -> None:
        super().__init__()
        self.key_salt = f"trunkline.{purpose}"
        self.timeout = timeout

    def make_token(self, user: Person) -> str:
        return self._signer().sign(self._state(user))

    def check_token(self, user: Person | None, token: str | None) -> bool:
        if user is None or not token:
            return False
        try:
            state = self._signer().unsign(token, max_age=self.timeout)
        except signing.BadSignature:
            return False
        return constant_time_compare(state, self._state(user))

    def _state(self, user: Person) -> str:
        """What a new password, a sign-in, or another e-mail address changes."""
        signed_in = user.last_login.timestamp() if user.last_login else ""
        value = f"{user.pk}:{user.password}:{user.emails}:{signed_in}"
        digest = salted_hmac(self.key_salt, value, algorithm="sha256").hexdigest()
        return digest[:32]  # 128 bits, so that mails do not break the link

    def _signer(self) -> signing.TimestampSigner:
        return signing.TimestampSigner(salt=self.key_salt)


welcome_tokens = PasswordLinkTokens("welcome", settings.WELCOME_LINK_TIMEOUT)
reset_tokens = PasswordLinkTokens("reset", settings.PASSWORD_RESET_TIMEOUT)


def welcome_link(person: Person) -> str:
    return _link("welcome", person, welcome_tokens)


def reset_link(person: Person) -> str:
    return _link("password-reset", person, reset_tokens)


def _link(name: str, person: Person, tokens: PasswordLinkTokens) -> str:
    uid = urlsafe_base64_encode(force_bytes(person.pk))
    path = reverse(name, kwargs={"uidb64": uid, "token": tokens.make_token(person)})
    return f"{settings.PUBLIC_URL}{path}"
