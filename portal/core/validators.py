"""Shape of what people type: names, e-mail addresses, telephone numbers, colours."""

import re
import unicodedata

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, validate_email
from django.utils.translation import gettext_lazy as _

MAX_ADDRESSES = 5
# Names are compared and sorted in their compatible form (NFKC, NFKD), in which one sign
# may become eighteen.
LONGEST_KEY = 500
_SEPARATORS = re.compile(r"[\s,;]+")
# Format characters that names need: joiners in emoji and in several scripts, tags in flags
# of regions, and the number signs of Arabic, which can be seen.
_WELCOME_FORMATS = frozenset(
    ["\u200c", "\u200d", "\u06dd", *map(chr, range(0x0600, 0x0606))]
    + [chr(code) for code in range(0xE0020, 0xE0080)]
)
# Letters and signs by category that are blank to the eye.
_BLANKS = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")

validate_colour = RegexValidator(
    r"^#[0-9a-fA-F]{6}$",
    _("Enter a colour as # and six hexadecimal digits, e.g. #1f6feb."),
)
validate_digits = RegexValidator(r"^[0-9]*$", _("Enter digits only."))


def validate_name(value: str) -> None:
    """Refuse names that cannot be read, compared, or that pretend to be something else.

    Letters of any script, emoji and combining characters are welcome. Control characters,
    direction marks, what cannot be seen, and square brackets at the start (kept for
    pseudo-people, D 7.5) are not.
    """
    if not any(
        unicodedata.category(char)[0] in "LNS" and char not in _BLANKS for char in value
    ):
        raise ValidationError(
            _("Enter a name with at least one letter or digit."), code="no_letter"
        )
    if any(map(_is_hidden, value)):
        raise ValidationError(
            _("Remove the invisible control characters from the name."), code="control"
        )
    normal = unicodedata.normalize("NFKD", value)
    if len(normal) > LONGEST_KEY:
        raise ValidationError(
            _("Write the name with fewer signs that stand for whole words."),
            code="too_long",
        )
    if normal.lstrip().startswith("["):
        raise ValidationError(
            _("A name cannot begin with a square bracket."), code="bracket"
        )


def validate_visible(value: str) -> None:
    """Refuse a line that cannot be seen, or in which signs that cannot be seen stand."""
    if any(map(_is_hidden, value)):
        raise ValidationError(
            _("Remove the invisible control characters."), code="control"
        )


def _is_hidden(char: str) -> bool:
    """Whether ``char`` controls, turns around, or stands there unseen."""
    if char in _BLANKS:
        return True
    category = unicodedata.category(char)
    if category == "Cf":
        return char not in _WELCOME_FORMATS
    code = ord(char)
    if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
        return (
            True  # never a character (Unicode 23.7), and no XML may hold most of them
        )
    return category in {"Cc", "Cs", "Co", "Zl", "Zp"}


def split_emails(value: str) -> list[str]:
    """The addresses in a text that separates them by spaces, commas or semicolons."""
    return [address for address in _SEPARATORS.split(value.strip()) if address]


def clean_emails(value: str) -> str:
    """The same addresses, each once, joined by ", ".

    Raises ValidationError that names the wrong address, or if there are too many.
    """
    addresses = list(dict.fromkeys(split_emails(value)))
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError(
                _("“%(address)s” is not an e-mail address."),
                code="invalid_email",
                params={"address": address[:80]},
            ) from None
    if len(addresses) > MAX_ADDRESSES:
        raise ValidationError(
            _("Enter at most %(count)d e-mail addresses."),
            code="too_many",
            params={"count": MAX_ADDRESSES},
        )
    return ", ".join(addresses)


def validate_emails(value: str) -> None:
    clean_emails(value)


def parse_number(value: str, *, country: str = "") -> phonenumbers.PhoneNumber:
    """A telephone number that can exist; national writing needs the ``country`` (ISO 3166).

    Raises ValidationError that shows the expected form.
    """
    try:
        number = phonenumbers.parse(value.strip(), country or None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise ValidationError(
            _(
                "Enter the number with + and the country code (E.164), "
                "e.g. +49 30 901820 or +1 212 555 0123."
            ),
            code="invalid_number",
        )
    return number


def clean_number(value: str, *, country: str = "") -> str:
    """The number in E.164: "+" and up to 15 digits (ITU-T E.164, 6.1)."""
    number = parse_number(value, country=country)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def validate_number(value: str) -> None:
    if clean_number(value) != value:
        raise ValidationError(
            _("Enter the number as + and digits without spaces."), code="not_e164"
        )
