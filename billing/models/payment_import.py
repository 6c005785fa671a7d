from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.choices import ImportLineState
from billing.models.payment import Payment


class PaymentImport(models.Model):
    """A statement of the provider's bank as it was uploaded, row by row.

    ``columns`` says which of the ``header`` hold what (`billing.bank_csv`); empty until it
    is known.
    """

    owner = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("imported by"),
        on_delete=models.CASCADE,  # what was booked keeps its customer by itself
        related_name="payment_imports",
        db_index=False,  # a longer one begins with it
    )
    file_name = models.CharField(_("file"), max_length=120)
    header = models.JSONField(_("header"), default=list)
    columns = models.JSONField(_("columns"), default=dict, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
    )
    person_name = models.CharField(_("person's name"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now)
    booking_since = models.DateTimeField(
        _("booking since"),
        null=True,
        blank=True,
        help_text=_("Empty: nobody has begun, or it was stopped, or all is booked."),
    )
    to_book = models.PositiveIntegerField(
        _("lines to book"),
        default=0,
        help_text=_("How many were sure when booking began."),
    )
    worked_at = models.DateTimeField(_("last worked on"), null=True, blank=True)
    booked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("booked by"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
    )
    booked_as = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("booked as"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
    )

    objects: models.Manager[PaymentImport] = ScopedManager(
        tree="owner__path__startswith"
    )

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("import of payments")
        verbose_name_plural = _("imports of payments")
        indexes = (
            models.Index(fields=["owner", "-id"], name="import_newest"),
            models.Index(
                fields=["booking_since"],
                name="import_booking",
                condition=Q(booking_since__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_booking(self) -> bool:
        """Whether workers are at its sure lines, or should be."""
        return self.booking_since is not None


class PaymentImportLine(models.Model):
    """One line of a bank statement, what it was understood as, and what became of it.

    ``key`` is made of what the line says: of one provider, the same is booked once, in
    whichever file it comes.
    """

    source = models.ForeignKey(
        PaymentImport,
        verbose_name=_("import"),
        on_delete=models.CASCADE,
        related_name="lines",
        db_index=False,  # a longer one begins with it
    )
    owner = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("imported by"),
        on_delete=models.CASCADE,  # what was booked keeps its customer by itself
        related_name="+",
    )
    number = models.PositiveIntegerField(_("line"))
    cells = models.JSONField(_("as it was read"), default=list)
    key = models.CharField(_("key"), max_length=64, blank=True)
    state = models.CharField(
        _("state"),
        max_length=6,
        choices=ImportLineState.choices,
        default=ImportLineState.NEW,
    )
    day = models.DateField(_("day"), null=True, blank=True)
    amount = models.DecimalField(
        _("amount"), max_digits=20, decimal_places=6, null=True, blank=True
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    payer = models.CharField(_("payer"), max_length=140, blank=True)
    text = models.CharField(_("reference text"), max_length=500, blank=True)
    problem = models.CharField(_("why not"), max_length=200, blank=True)
    invoice = models.ForeignKey(
        "billing.Invoice",
        verbose_name=_("invoice"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    payment = models.OneToOneField(
        Payment,
        verbose_name=_("payment"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="import_line",
    )

    objects: models.Manager[PaymentImportLine] = ScopedManager(
        tree="owner__path__startswith"
    )

    class Meta:
        ordering = ("number",)
        verbose_name = _("line of an import")
        verbose_name_plural = _("lines of imports")
        constraints = (
            models.UniqueConstraint(
                fields=["source", "number"], name="line_once_per_import"
            ),
            models.UniqueConstraint(
                fields=["owner", "key"],
                name="line_booked_once_per_owner",
                condition=Q(payment__isnull=False),
            ),
            models.CheckConstraint(
                name="line_is_booked_with_its_payment",
                condition=Q(state=ImportLineState.BOOKED, payment__isnull=False)
                | ~Q(state=ImportLineState.BOOKED) & Q(payment=None),
            ),
            models.CheckConstraint(
                name="line_to_book_is_whole",
                condition=~Q(state__in=[ImportLineState.EXACT, ImportLineState.BOOKED])
                | Q(amount__gt=0, day__isnull=False) & ~Q(key=""),
            ),
        )
        indexes = (
            models.Index(fields=["source", "state", "number"], name="line_by_state"),
        )

    def __str__(self) -> str:
        return f"{self.number}: {self.text[:60]}"

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        if self.payment_id is not None:
            raise TypeError("booked lines stay")
        return super().delete(*args, **kwargs)
