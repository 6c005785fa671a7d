"""Fixed values of customers, people and what they own."""

from zoneinfo import available_timezones

from babel import Locale
from django.db.models import TextChoices
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext_lazy as _


class CustomerKind(TextChoices):
    NORMAL = "normal", _("Normal")
    RESIDENTIAL = "residential", _("Residential")


class Lock(TextChoices):
    """What a customer is locked out of (D 2.3, row 7)."""

    NONE = "none", _("Not locked")
    WEB = "web", _("Web interface")
    CALLS = "calls", _("Making calls")
    BOTH = "both", _("Web interface and calls")

    @property
    def blocks_web(self) -> bool:
        return self in {Lock.WEB, Lock.BOTH}

    @property
    def blocks_calls(self) -> bool:
        return self in {Lock.CALLS, Lock.BOTH}


class RestOfContract(TextChoices):
    """What becomes of a minimum contract whose customer is deleted before it ends."""

    WAIVE = "waive", _("Rest waived")
    CHARGE = "charge", _("Rest charged")


class Interface(TextChoices):
    """Which user interface a role gets (D 7.2)."""

    FULL = "full", _("Full")
    RESIDENTIAL = "residential", _("Residential")
    WHOLESALE = "wholesale", _("Wholesale")


class RoleDefault(TextChoices):
    """What a role is the default for; one role each (D 7.2)."""

    FIRST_PERSON = "first_person", _("First person of a normal customer")
    RESIDENTIAL = "residential", _("Person of a residential customer")
    PSEUDO = "pseudo", _("Pseudo-person one switches to")


class DateFormat(TextChoices):
    """D 7.1; the default is ISO 8601."""

    ISO = "Y-m-d", _("2026-12-31")
    EUROPEAN = "d/m/Y", _("31/12/2026")
    AMERICAN = "m/d/Y", _("12/31/2026")
    GERMAN = "d.m.Y", _("31.12.2026")


class TimeFormat(TextChoices):
    H24 = "H:i", _("24 hours: 18:30")
    H12 = "g:i A", _("12 hours: 6:30 PM")


_AREAS = (
    "Africa",
    "America",
    "Antarctica",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)
# Areas with places; links such as "US/Pacific" or "GB" are left to their canonical names.
TIME_ZONES: tuple[str, ...] = (
    "UTC",
    *sorted(
        zone
        for zone in available_timezones()
        if zone.split("/")[0] in _AREAS and "/" in zone
    ),
)


def time_zone_choices() -> list[tuple[str, str]]:
    return [(zone, zone.replace("_", " ")) for zone in TIME_ZONES]


def country_choices() -> list[tuple[str, str]]:
    """(ISO 3166-1 alpha-2, name in the active language), by name."""
    territories = Locale.parse(to_locale(get_language() or "en")).territories
    countries = [
        (code, name)
        for code, name in territories.items()
        if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
    ]
    return sorted(countries, key=lambda country: country[1].casefold())


# CLDR's extra codes: regions and placeholders that ISO 3166-1 does not assign.
_NOT_COUNTRIES = frozenset(
    {
        "AC",
        "CP",
        "CQ",
        "DG",
        "EA",
        "EU",
        "EZ",
        "IC",
        "QO",
        "TA",
        "UN",
        "XA",
        "XB",
        "XK",
        "ZZ",
    }
)
COUNTRY_CODES = frozenset(
    code
    for code in map(str, Locale("en").territories)
    if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
)
