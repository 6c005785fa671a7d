"""What the system owner sets up once for everybody (D 8), in the Django admin."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext_lazy as _

DAY_MINUTES = 24 * 60


class Region(models.Model):
    """A group of telephony machines near some customers; has no effect on billing."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    description = models.TextField(_("description"), blank=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("region")
        verbose_name_plural = _("regions")

    def __str__(self) -> str:
        return self.name


class DialPlan(models.Model):
    """How dialled numbers are read: which digits mean outside, which country is home."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    description = models.TextField(_("description"), blank=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("dial plan")
        verbose_name_plural = _("dial plans")

    def __str__(self) -> str:
        return self.name


class TimeGroup(models.Model):
    """Times of the week that rules of plans hold in, each on the customer's own clock."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    description = models.TextField(_("description"), blank=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("time group")
        verbose_name_plural = _("time groups")

    def __str__(self) -> str:
        return self.name

    def times(self) -> str:
        """In the active language: "Mon–Fri 08:00–18:00, Sat 09:00–12:00"."""
        return ", ".join(str(span) for span in self.spans.all())


class TimeSpan(models.Model):
    """The same hours of one day or of several in a row.

    ``begins`` and ``ends`` are minutes since midnight, up to 24:00; the end is outside.
    """

    group = models.ForeignKey(
        TimeGroup,
        verbose_name=_("time group"),
        on_delete=models.CASCADE,
        related_name="spans",
    )
    first_day = models.PositiveSmallIntegerField(_("first day"), choices=WEEKDAYS)
    last_day = models.PositiveSmallIntegerField(_("last day"), choices=WEEKDAYS)
    begins = models.PositiveSmallIntegerField(_("from"))
    ends = models.PositiveSmallIntegerField(_("to"))

    class Meta:
        ordering = ("first_day", "begins", "pk")
        verbose_name = _("time of the week")
        verbose_name_plural = _("times of the week")
        constraints = (
            models.CheckConstraint(
                name="time_span_days_in_order",
                condition=Q(last_day__gte=F("first_day"), last_day__lt=7),
                violation_error_message=_(
                    "The last day is before the first: a week begins on Monday."
                ),
            ),
            models.CheckConstraint(
                name="time_span_hours_in_order",
                condition=Q(ends__gt=F("begins"), ends__lte=DAY_MINUTES),
                violation_error_message=_("The end must be after the beginning."),
            ),
        )

    def __str__(self) -> str:
        days = str(WEEKDAYS_ABBR[self.first_day])
        if self.last_day != self.first_day:
            days = f"{days}–{WEEKDAYS_ABBR[self.last_day]}"
        return f"{days} {clock_text(self.begins)}–{clock_text(self.ends)}"

    def overlaps(self, other: TimeSpan) -> bool:
        """Whether there is a moment that both hold."""
        return (
            self.first_day <= other.last_day
            and other.first_day <= self.last_day
            and self.begins < other.ends
            and other.begins < self.ends
        )


def clock_text(minutes: int) -> str:
    """Minutes since midnight as a clock shows them; 24:00 is the end of a day."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


class SystemOptions(models.Model):
    """Options of the whole system: one row, made by the first migration."""

    customer_prefixes = models.BooleanField(
        _("customers have prefixes"),
        default=False,
        help_text=_("Show the customer prefix on the customer form."),
    )
    person_email_required = models.BooleanField(
        _("people need an e-mail address"), default=True
    )
    person_email_unique = models.BooleanField(
        _("an e-mail address belongs to one person"),
        default=False,
        help_text=_("Refuse a person whose e-mail address another person has."),
    )

    class Meta:
        verbose_name = _("system options")
        verbose_name_plural = _("system options")
        constraints = (
            models.CheckConstraint(
                name="system_options_are_one_row", condition=Q(pk=1)
            ),
        )

    def __str__(self) -> str:
        return str(_("System options"))

    @classmethod
    def current(cls) -> SystemOptions:
        return cls.objects.get_or_create(pk=1)[0]
