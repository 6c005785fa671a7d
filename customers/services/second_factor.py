"""The second factor: codes of an app (RFC 6238), recovery codes in case it is lost."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import segno
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from customers import selectors
from customers.models import Person
from customers.services import people
from portal.core import audit
from portal.core.actor import Actor
from portal.core.permissions import Permission
from portal.core.throttle import Throttle

RECOVERY_CODES = 10
# Without characters that are mistaken for one another; twelve of them are 59 bits.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_SALT = "trunkline.recovery-code"
# Tries of a signed-in person to confirm with password or code, each quarter of an hour.
CONFIRMATIONS = Throttle("second-factor-confirmation", limit=10, seconds=15 * 60)


@dataclass(frozen=True, slots=True)
class Setup:
    """What an authenticator app needs: to type, to scan, or to open on its device."""

    secret: str
    qr: str
    uri: str


def new_key() -> str:
    """A secret of 160 bits, in hexadecimal digits."""
    return str(random_hex(20))


def setup_of(person: Person, *, key: str, issuer: str) -> Setup:
    secret = base64.b32encode(bytes.fromhex(key)).decode()
    label = quote(f"{issuer.replace(':', ' ')}:{person.username}")
    query = urlencode({"secret": secret, "issuer": issuer}, quote_via=quote)
    uri = f"otpauth://totp/{label}?{query}"
    code = segno.make(uri, micro=False)
    return Setup(
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        qr=code.svg_data_uri(scale=5, border=3, light="#ffffff"),
        uri=uri,
    )


def recovery_codes_left(person: Person) -> int:
    return sum(d.token_set.count() for d in StaticDevice.objects.filter(user=person))


@transaction.atomic
def set_up(
    *, person: Person, key: str, code: str, by: Actor, session_key: str
) -> list[str]:
    """Ask for codes of ``key`` from the next sign-in on; gives the recovery codes.

    ``code`` proves that the app has the key. Every other browser is signed out.
    Raises ValidationError at ``code``.
    """
    _refuse_others(person, by)
    _check_tries(person)
    Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    if selectors.has_second_factor(person):
        raise ValidationError(_("The second factor is set up already."), code="twice")
    device = TOTPDevice.objects.create(user=person, name="app", key=key)
    if not device.verify_token(_digits(code)):
        raise ValidationError({"code": _wrong_code()})
    codes = _new_recovery_codes(person)
    audit.record("person.second_factor_added", person, by=by, customer=person.customer)
    people.end_sessions(person, except_key=session_key)
    CONFIRMATIONS.forget(person.pk)
    return codes


@transaction.atomic
def renew_recovery_codes(*, person: Person, password: str, by: Actor) -> list[str]:
    """New recovery codes in place of the old. ValidationError at ``password``."""
    _refuse_others(person, by)
    _check_password(person, password)
    if not selectors.has_second_factor(person):
        raise ValidationError(_("There is no second factor."), code="none")
    codes = _new_recovery_codes(person)
    audit.record(
        "person.recovery_codes_renewed", person, by=by, customer=person.customer
    )
    return codes


@transaction.atomic
def turn_off(*, person: Person, password: str, code: str, by: Actor) -> None:
    """Sign in with the password alone from now on.

    Where the company demands a second factor, the next page asks to set up a new one.
    ``code`` is the app's or a recovery code. Raises ValidationError at the wrong field.
    """
    _refuse_others(person, by)
    _check_password(person, password)
    check_code(person=person, code=code, is_recovery=not _digits(code))
    _remove_devices(person)
    audit.record(
        "person.second_factor_removed", person, by=by, customer=person.customer
    )


@transaction.atomic
def remove_second_factor(*, person: Person, by: Actor) -> None:
    """Help somebody who lost telephone and recovery codes: an administrator's service.

    Raises PermissionDenied for oneself, for people outside of the account acted in, and
    for those with more rights.
    """
    by.require(Permission.ADMINISTRATOR)
    is_own = by.person is not None and by.person.pk == person.pk
    if is_own or person.is_pseudo or not person.customer.is_within(by.customer):
        raise PermissionDenied
    if not selectors.may_manage(person, by):
        raise PermissionDenied
    if _remove_devices(person):
        audit.record(
            "person.second_factor_removed", person, by=by, customer=person.customer
        )


def check_code(*, person: Person, code: str, is_recovery: bool = False) -> Device:
    """The device that gave ``code``. A recovery code is used up by this.

    Wrong codes make the next try wait, one second and then twice as long each time.
    Raises ValidationError at ``code``.
    """
    model = StaticDevice if is_recovery else TOTPDevice
    with transaction.atomic():  # two tries at once must not use one code twice
        device = (
            model.objects.select_for_update()
            .filter(user=person, confirmed=True)
            .first()
        )
        if device is None:
            raise ValidationError({"code": _wrong_code(is_recovery=is_recovery)})
        is_allowed, refusal = device.verify_is_allowed()
        token = _known_digest(device, code) if is_recovery else _digits(code)
        is_right = device.verify_token(token)
    if is_right:
        return device
    if not is_allowed:
        raise ValidationError({"code": _wait(refusal)})
    raise ValidationError({"code": _wrong_code(is_recovery=is_recovery)})


def _refuse_others(person: Person, by: Actor) -> None:
    """Only people themselves, and not while switched, touch their own second factor."""
    if by.is_switched or by.person is None or by.person.pk != person.pk:
        raise PermissionDenied


def _check_password(person: Person, password: str) -> None:
    _check_tries(person)
    if not person.check_password(password):
        raise ValidationError(
            {"password": ValidationError(_("This is not your password."), code="wrong")}
        )


def _check_tries(person: Person) -> None:
    if not CONFIRMATIONS.allows(person.pk):
        raise ValidationError(
            _("Too many tries. Wait %(minutes)d minutes."),
            code="throttled",
            params={"minutes": CONFIRMATIONS.minutes},
        )


def _new_recovery_codes(person: Person) -> list[str]:
    device, _created = StaticDevice.objects.get_or_create(
        user=person, defaults={"name": "recovery"}
    )
    device.token_set.all().delete()
    codes = [_random_code() for _number in range(RECOVERY_CODES)]
    for code in codes:
        device.token_set.create(token=_digest(device, code, settings.SECRET_KEY))
    return codes


def _remove_devices(person: Person) -> bool:
    had = selectors.has_second_factor(person)
    TOTPDevice.objects.filter(user=person).delete()
    StaticDevice.objects.filter(user=person).delete()
    return had


def _random_code() -> str:
    text = "".join(secrets.choice(_ALPHABET) for _position in range(12))
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"


def _digest(device: StaticDevice, code: str, key: str) -> str:
    """What is stored in place of a recovery code: nobody signs in with a copied row."""
    plain = "".join(char for char in code.lower() if char.isalnum())
    value = f"{device.user_id}:{plain}"
    digest = salted_hmac(_SALT, value, secret=key, algorithm="sha256").digest()
    return base64.b32encode(digest).decode()[:16]


def _known_digest(device: StaticDevice, code: str) -> str:
    """The code's digest, by whichever of our keys it was stored with."""
    digests = [
        _digest(device, code, key)
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]
    stored = device.token_set.filter(token__in=digests).first()
    return stored.token if stored else digests[0]


def _digits(code: str) -> str:
    """Apps show the code in two groups, and people type it so."""
    digits = "".join(code.split())
    return digits if digits.isdecimal() and len(digits) == 6 else ""


def _wrong_code(*, is_recovery: bool = False) -> ValidationError:
    if is_recovery:
        text = _("This code is wrong or was used already. Enter another one.")
    else:
        text = _("This code is wrong or was used already. Enter the one shown now.")
    return ValidationError(text, code="wrong")


def _wait(refusal: dict[str, object] | None) -> ValidationError:
    until = (refusal or {}).get("locked_until")
    seconds = 1
    if until is not None:
        left = until - timezone.now()  # type: ignore[operator]
        seconds = max(1, round(left.total_seconds()))
    text = ngettext(
        "Too many wrong codes. Wait %(seconds)d second and try again.",
        "Too many wrong codes. Wait %(seconds)d seconds and try again.",
        seconds,
    )
    return ValidationError(text, code="throttled", params={"seconds": seconds})
