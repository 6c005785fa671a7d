"""Fixed values of customers, people and what they own."""

from zoneinfo import available_timezones

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from portal.core.countries import COUNTRY_CODES as COUNTRY_CODES
from portal.core.countries import country_choices as country_choices


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
