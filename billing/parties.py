"""What invoices name sellers and buyers by: VAT IDs, bank accounts, electronic addresses.

``clean_…`` takes what people type and gives it as it is kept; ``validate_…`` is for fields of
models and takes nothing but that. Both raise ValidationError that says what is wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _
from stdnum import ean, iban, lei, numdb
from stdnum.au import abn
from stdnum.ch import uid as ch_uid
from stdnum.de import leitweg
from stdnum.dk import cvr
from stdnum.ee import registrikood
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import InvalidChecksum
from stdnum.exceptions import ValidationError as WrongNumber
from stdnum.fr import siren, siret
from stdnum.gb import vat as gb_vat
from stdnum.iso7064 import mod_97_10
from stdnum.it import codicefiscale
from stdnum.no import orgnr as no_orgnr
from stdnum.se import orgnr as se_orgnr
from stdnum.sg import uen

from billing.party_choices import EndpointScheme
from portal.core.countries import COUNTRY_CODES, country_name

# What separates the groups of a number for the eye only.
_SEPARATORS = re.compile(r"[\s\u00ad\u2010-\u2015\u200b.\-/]+")
_LETTERS = COUNTRY_CODES | {"EL", "XI"}  # of Greece and Northern Ireland (BR-CO-09)
# Countries whose VAT IDs begin with other letters than their ISO code.
_VAT_LETTERS = {"GR": ("EL", "GR"), "GB": ("GB", "XI")}
# Fewer digits than any VAT ID of these countries has, and than other texts rarely have.
_FEWEST_DIGITS = 5
_MANDATE = r"[A-Za-z0-9+?/:().,' -]{1,35}"


def compact(value: str) -> str:
    """``value`` without what only groups it, in capitals: "de 129-273" is "DE129273"."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", value)).upper()


# --- VAT IDs --------------------------------------------------------------------------


def clean_vat_id(value: str) -> str:
    """A VAT ID with its country's letters in front (BR-CO-09), check digits tested.

    They are tested for the EU, Great Britain, Norway and Switzerland; elsewhere the form.
    """
    text = compact(value)
    if text.startswith("UK") and text[2:5].isdigit():
        raise ValidationError(
            _("Write GB in place of UK: that is the country's code."), code="uk"
        )
    if text.startswith("GR") and text[2:].isdigit():
        text = f"EL{text[2:]}"
    if not re.fullmatch(r"[A-Z]{2}[A-Z0-9+*]{2,18}", text) or (
        text[:2] not in _LETTERS
    ):
        raise ValidationError(
            _(
                "Enter the VAT ID with the letters of its country in front, such as"
                " DE123456788."
            ),
            code="vat_id",
        )
    try:
        return _checked_vat_id(text)
    except InvalidChecksum:
        raise ValidationError(
            _("The check digits of this VAT ID are wrong: look for a mistyped digit."),
            code="check_digits",
        ) from None
    except WrongNumber:
        raise ValidationError(
            _("This is not how a VAT ID of %(country)s is written."),
            code="vat_id",
            params={"country": _country_name(text[:2])},
        ) from None


def _checked_vat_id(text: str) -> str:
    letters = text[:2]
    if letters == "EL" or letters.lower() in eu_vat.MEMBER_STATES:
        return eu_vat.validate(text)
    if letters == "GB":
        return f"GB{gb_vat.validate(text[2:])}"
    if letters == "NO":
        number = no_orgnr.validate(text[2:].removesuffix("MVA"))
        return f"NO{number}MVA"
    if letters == "CH":
        parts = re.fullmatch(r"(CHE[0-9]{9})(MWST|TVA|IVA|TPV)?", text)
        if parts is None:
            raise WrongNumber
        return f"{ch_uid.validate(parts[1])}{parts[2] or ''}"
    return text


def _country_name(letters: str) -> str:
    return country_name({"EL": "GR", "XI": "GB"}.get(letters, letters))


def validate_vat_id(value: str) -> None:
    _refuse_unless_clean(value, clean_vat_id(value))


def vat_id_in(text: str) -> str:
    """The VAT ID that a tax reference is, as it stands on invoices; "" if it is another."""
    try:
        return clean_vat_id(text) if text else ""
    except ValidationError:
        return ""


def clean_tax_reference(value: str, *, country: str) -> str:
    """A VAT ID of the buyer's ``country`` in its clean form; anything else as it is.

    Raises ValidationError for what begins with the letters of a country whose VAT IDs can
    be tested, and is wrong.
    """
    text = compact(value)
    letters = _VAT_LETTERS.get(country, (country,))
    tested = {code.upper() for code in eu_vat.MEMBER_STATES} | {"GB", "NO", "CH"}
    is_meant = (
        country in tested
        and text.startswith(letters)
        and sum(char.isdigit() for char in text) >= _FEWEST_DIGITS
    )
    return clean_vat_id(value) if is_meant else value.strip()


# --- Banks ----------------------------------------------------------------------------


def clean_iban(value: str) -> str:
    """An IBAN in capitals without spaces, check digits and its country's form tested."""
    text = compact(value)
    if not re.match(r"[A-Z]{2}[0-9]{2}", text):
        raise ValidationError(
            _(
                "An IBAN begins with two letters and two digits, such as"
                " DE89 3704 0044 0532 0130 00."
            ),
            code="iban",
        )
    if not re.fullmatch(r"[A-Z0-9]+", text):
        raise ValidationError(_("An IBAN has only letters and digits."), code="iban")
    length = _iban_length(text)
    if length and len(text) != length:
        said = (
            _(
                "Too short: an IBAN of %(country)s has %(length)s characters, not %(count)s."
            )
            if len(text) < length
            else _(
                "Too long: an IBAN of %(country)s has %(length)s characters, not"
                " %(count)s."
            )
        )
        values = {"country": _country_name(text[:2]), "length": length}
        raise ValidationError(said, code="length", params=values | {"count": len(text)})
    try:
        return iban.validate(text)
    except InvalidChecksum:
        raise ValidationError(
            _("The check digits of this IBAN are wrong: look for a mistyped digit."),
            code="check_digits",
        ) from None
    except WrongNumber:
        raise ValidationError(
            _("This is not how an IBAN of %(country)s is written."),
            code="iban",
            params={"country": _country_name(text[:2])},
        ) from None


def _iban_length(text: str) -> int:
    """How long IBANs of its country are; 0 if that has none."""
    parts = [about for _part, about in numdb.get("iban").info(text) if "bban" in about]
    if not parts:
        return 0
    return 4 + sum(int(count) for count in re.findall(r"[0-9]+", parts[0]["bban"]))


def validate_iban(value: str) -> None:
    _refuse_unless_clean(value, clean_iban(value))


def format_iban(value: str) -> str:
    """As people read it, in groups of four."""
    return " ".join(value[at : at + 4] for at in range(0, len(value), 4))


def clean_creditor_id(value: str) -> str:
    """A SEPA creditor identifier (EPC262-08): country, check digits, business code, number.

    The check digits are those of ISO 7064 over all but the business code, which the
    creditor may choose.
    """
    text = compact(value)
    parts = re.fullmatch(r"([A-Z]{2})([0-9]{2})[A-Z0-9]{3}([A-Z0-9]{1,28})", text)
    if parts is None:
        raise ValidationError(
            _("A creditor identifier is written as DE98ZZZ09999999999."),
            code="creditor_id",
        )
    country, digits, number = parts.groups()
    if not mod_97_10.is_valid(f"{number}{country}{digits}"):
        raise ValidationError(
            _("The check digits of this creditor identifier are wrong."),
            code="check_digits",
        )
    return text


def validate_creditor_id(value: str) -> None:
    _refuse_unless_clean(value, clean_creditor_id(value))


def validate_mandate(value: str) -> None:
    """The reference of a SEPA mandate, of the signs that banks take."""
    if value != value.strip() or not re.fullmatch(_MANDATE, value):
        raise ValidationError(
            _(
                "Up to 35 letters without accents, digits, spaces and + ? / - : ( ) . , '"
            ),
            code="mandate",
        )


def clean_bic(value: str) -> str:
    text = compact(value)
    if not re.fullmatch(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?", text):
        raise ValidationError(
            _("A BIC has 8 or 11 letters and digits, such as COBADEFFXXX."), code="bic"
        )
    return text


def validate_bic(value: str) -> None:
    _refuse_unless_clean(value, clean_bic(value))


def _refuse_unless_clean(value: str, clean: str) -> None:
    if value != clean:
        raise ValidationError(
            _("Enter it in capitals without spaces: %(clean)s."),
            code="not_clean",
            params={"clean": clean},
        )


# --- Electronic addresses -------------------------------------------------------------


def clean_endpoint(scheme: str, value: str) -> str:
    """An electronic address of ``scheme`` as it is kept; numbers are tested by its rules."""
    known = EndpointScheme(scheme)
    text = value.strip()
    try:
        if known.vat_prefix:
            return _vat_endpoint(known, text)
        return _CHECKS[known](text)
    except WrongNumber as error:
        if isinstance(error, InvalidChecksum):
            message = _("The check digits are wrong: look for a mistyped digit.")
        else:
            message = _("This is not a number of the kind chosen: %(scheme)s.")
        raise ValidationError(
            message, code="endpoint", params={"scheme": known.label}
        ) from None


def _vat_endpoint(scheme: EndpointScheme, text: str) -> str:
    """Italy's has no letters in some books, so they are put in front where missing."""
    number = compact(text)
    if not number.startswith((scheme.vat_prefix, scheme.name[:2])):
        number = f"{scheme.vat_prefix}{number}"
    return clean_vat_id(number)


def _digits(*lengths: int) -> Callable[[str], str]:
    """A check of numbers that have no check digits, or none that are published."""

    def check(text: str) -> str:
        number = compact(text)
        if not number.isascii() or not number.isdigit() or len(number) not in lengths:
            raise WrongNumber
        return number

    return check


def _matching(pattern: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        number = compact(text)
        if not re.fullmatch(pattern, number):
            raise WrongNumber
        return number

    return check


def _gln(text: str) -> str:
    return _digits(13)(ean.validate(compact(text)))


def _belgian(text: str) -> str:
    return eu_vat.validate(f"BE{compact(text).removeprefix('BE')}")[2:]


def _french_platform(text: str) -> str:
    """A SIREN, and after it what the company added to tell its addresses apart."""
    number, _underscore, rest = re.sub(r"\s+", "", text).partition("_")
    if rest and not re.fullmatch(r"[A-Za-z0-9_+.\-]{1,116}", rest):
        raise WrongNumber
    return f"{siren.validate(number)}{f'_{rest}' if rest else ''}"


def _email(text: str) -> str:
    validate_email(text)
    return text


_CHECKS: dict[EndpointScheme, Callable[[str], str]] = {
    EndpointScheme.GLN: _gln,
    EndpointScheme.DUNS: _digits(9),
    EndpointScheme.LEI: lambda text: lei.validate(compact(text)),
    EndpointScheme.EMAIL: _email,
    EndpointScheme.AU_ABN: lambda text: abn.validate(compact(text)),
    EndpointScheme.BE_COMPANY: _belgian,
    EndpointScheme.DK_CVR: lambda text: cvr.validate(compact(text).removeprefix("DK")),
    EndpointScheme.EE_COMPANY: lambda text: registrikood.validate(compact(text)),
    EndpointScheme.FI_OVT: _matching(r"0037[0-9]{8}[A-Z0-9]{0,5}"),
    EndpointScheme.FR_SIREN: lambda text: siren.validate(compact(text)),
    EndpointScheme.FR_SIRET: lambda text: siret.validate(compact(text)),
    EndpointScheme.FR_PLATFORM: _french_platform,
    EndpointScheme.DE_LEITWEG: lambda text: leitweg.validate(
        re.sub(r"\s+", "", text.upper())
    ),
    EndpointScheme.IS_COMPANY: _digits(10),
    EndpointScheme.IT_OFFICE: _matching(r"[A-Z0-9]{6}"),
    EndpointScheme.IT_TAX: lambda text: codicefiscale.validate(compact(text)),
    EndpointScheme.JP_COMPANY: _digits(13),
    EndpointScheme.JP_INVOICE: _matching(r"T[0-9]{13}"),
    EndpointScheme.LV_COMPANY: _digits(11),
    EndpointScheme.LT_COMPANY: _digits(9),
    EndpointScheme.NL_COMPANY: _digits(8),
    EndpointScheme.NL_OFFICE: _digits(20),
    EndpointScheme.NO_COMPANY: lambda text: no_orgnr.validate(compact(text)),
    EndpointScheme.SE_COMPANY: lambda text: se_orgnr.validate(compact(text)),
    EndpointScheme.SG_COMPANY: lambda text: uen.validate(compact(text)),
    EndpointScheme.CH_COMPANY: lambda text: ch_uid.validate(compact(text)),
    EndpointScheme.US_EIN: _digits(9),
}


def endpoint_errors(scheme: str, value: str) -> dict[str, ValidationError]:
    """What is wrong with the two parts of an electronic address together, by field.

    Of an unknown scheme nothing is told: it is no choice of its field.
    """
    if (not scheme and not value) or (scheme and scheme not in EndpointScheme):
        return {}
    if not scheme:
        message = _("Choose what kind of number this address is.")
        return {"endpoint_scheme": ValidationError(message, code="required")}
    if not value:
        message = _("Enter the address, or choose no kind.")
        return {"endpoint_id": ValidationError(message, code="required")}
    try:
        clean = clean_endpoint(scheme, value)
        if clean != value:
            message = _("Enter it as %(clean)s.")
            raise ValidationError(message, code="not_clean", params={"clean": clean})
    except ValidationError as error:
        return {"endpoint_id": error}
    return {}
