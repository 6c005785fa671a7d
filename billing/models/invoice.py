from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.choices import FileKind, InvoiceOccasion, InvoiceStatus, InvoiceType
from billing.models.account import money_field
from portal.core.money import ZERO, validate_currency
from rateplans.choices import InvoiceDetail, InvoiceFormat

# Of these something is still to come: reasons to go, approval, money.
UNSETTLED = (
    InvoiceStatus.PENDING,
    InvoiceStatus.QUEUED,
    InvoiceStatus.APPROVED,
    InvoiceStatus.DUE,
    InvoiceStatus.OVERDUE,
    InvoiceStatus.PAYMENT_REFUSED,
)


class Invoice(models.Model):
    """An invoice or a credit note (D 6): a document that is final once it has a number.

    ``content`` holds all it says (`billing.invoicing.content`); a database trigger refuses
    to change what stands in the document. Until then, status pending, it is a note that one
    is wanted and why it is held back. Amounts are positive for both types.
    """

    account = models.ForeignKey(
        "billing.BillingAccount",
        verbose_name=_("billing account"),
        on_delete=models.PROTECT,
        related_name="invoices",
        db_index=False,  # a longer one begins with it
    )
    issuer = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("issued by"),
        on_delete=models.PROTECT,
        related_name="issued_invoices",
        help_text=_("The customer's parent at that time."),
        db_index=False,  # a longer one begins with it
    )
    key = models.CharField(
        _("key"),
        max_length=60,
        help_text=_("Names the occasion; the same one is invoiced once."),
    )
    type = models.CharField(
        _("type"),
        max_length=11,
        choices=InvoiceType.choices,
        default=InvoiceType.INVOICE,
    )
    occasion = models.CharField(
        _("occasion"), max_length=10, choices=InvoiceOccasion.choices
    )
    status = models.CharField(
        _("status"),
        max_length=15,
        choices=InvoiceStatus.choices,
        default=InvoiceStatus.PENDING,
    )
    number = models.CharField(_("number"), max_length=30, blank=True)
    customer_number = models.PositiveIntegerField(
        _("count for this customer"), null=True, blank=True
    )
    currency = models.CharField(
        _("currency"), max_length=3, validators=[validate_currency]
    )
    net = money_field(_("net"))
    total = money_field(_("total"), help_text=_("With taxes."))
    payable = money_field(
        _("payable"), help_text=_("What was left to pay when it was issued.")
    )
    settled = money_field(
        _("settled"), help_text=_("What payments and credit notes took off since.")
    )
    period_start = models.DateField(_("period begins"))
    period_end = models.DateField(
        _("period ends"), help_text=_("The day after the last.")
    )
    detail = models.CharField(
        _("invoice detail"), max_length=12, choices=InvoiceDetail.choices
    )
    format = models.CharField(
        _("invoice format"), max_length=3, choices=InvoiceFormat.choices
    )
    is_sent_to_customer = models.BooleanField(_("is mailed"), default=True)
    issued_on = models.DateField(_("date"), null=True, blank=True)
    due_on = models.DateField(_("due on"), null=True, blank=True)
    overdue_on = models.DateField(
        _("overdue on"), null=True, blank=True, help_text=_("The first overdue day.")
    )
    overdue_from = models.DateField(
        _("overdue from"),
        null=True,
        blank=True,
        help_text=_(
            "In place of the day above, where somebody gave more time, or less."
        ),
    )
    # How many `CardOrder` there may be: after one is decided, somebody has to want the next.
    card_orders = models.PositiveSmallIntegerField(
        _("orders to charge the card"), default=1
    )
    content = models.JSONField(_("content"), null=True, blank=True)
    gaps = models.JSONField(
        _("why it is held back"), default=list, blank=True, editable=False
    )
    corrects = models.ForeignKey(
        "self",
        verbose_name=_("corrects"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
    )
    replaces = models.OneToOneField(
        "self",
        verbose_name=_("replaces"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="replaced_by",
    )
    issued_at = models.DateTimeField(_("issued"), null=True, blank=True)
    sent_at = models.DateTimeField(
        _("sent"),
        null=True,
        blank=True,
        help_text=_("Since when its customer may see it."),
    )
    drawn_at = models.DateTimeField(
        _("drawn"), null=True, blank=True, help_text=_("When its files were made.")
    )
    # Who draws it moves the next attempt ahead first: `services.invoice_drawing`.
    draw_due_at = models.DateTimeField(_("to be drawn"), default=timezone.now)
    draw_attempts = models.PositiveSmallIntegerField(
        _("attempts to draw it"), default=0
    )
    draw_error = models.CharField(
        _("why it could not be drawn"), max_length=500, blank=True
    )
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects: models.Manager[Invoice] = ScopedManager(
        tree="account__customer__path__startswith"
    )

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        constraints = (
            models.UniqueConstraint(
                fields=["account", "key"], name="invoice_key_once_per_account"
            ),
            models.UniqueConstraint(
                fields=["issuer", "number"],
                name="invoice_number_once_per_issuer",
                condition=~Q(number=""),
            ),
            models.UniqueConstraint(
                fields=["account", "type", "customer_number"],
                name="invoice_counted_once_per_customer",
            ),
            models.CheckConstraint(
                name="invoice_is_pending_or_issued",
                condition=Q(
                    status=InvoiceStatus.PENDING,
                    number="",
                    customer_number=None,
                    issued_on=None,
                    issued_at=None,
                    # Not content=None: that asks for the JSON null, so is never false.
                    content__isnull=True,
                )
                | ~Q(status=InvoiceStatus.PENDING)
                & ~Q(number="")
                & Q(
                    customer_number__isnull=False,
                    issued_on__isnull=False,
                    issued_at__isnull=False,
                    content__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="invoice_period_is_whole",
                condition=Q(period_end__gt=F("period_start")),
            ),
            models.CheckConstraint(
                name="invoice_settled_is_within_payable",
                condition=Q(settled__gte=0, settled__lte=F("payable")),
            ),
            models.CheckConstraint(
                name="credit_note_corrects_an_invoice",
                condition=Q(type=InvoiceType.INVOICE, corrects=None)
                | Q(type=InvoiceType.CREDIT_NOTE, corrects__isnull=False),
            ),
        )
        indexes = (
            models.Index(fields=["issuer", "-id"], name="invoice_newest"),
            models.Index(fields=["issuer", "status", "-id"], name="invoice_by_status"),
            models.Index(fields=["issuer", "issued_on", "id"], name="invoice_by_date"),
            models.Index(fields=["issuer", "total", "id"], name="invoice_by_total"),
            models.Index(fields=["issuer", "number", "id"], name="invoice_by_number"),
            models.Index(
                fields=["issuer", "occasion", "-id"], name="invoice_by_occasion"
            ),
            models.Index(
                fields=["issuer", "-id"],
                name="credit_note_newest",
                condition=Q(type=InvoiceType.CREDIT_NOTE),
            ),
            GinIndex(
                OpClass(Upper("number"), name="gin_trgm_ops"), name="invoice_search"
            ),
            # For the jobs that look through all sellers': most invoices are settled.
            models.Index(
                fields=["status", "due_on"],
                name="invoice_unsettled",
                condition=Q(status__in=UNSETTLED),
            ),
            models.Index(
                fields=["draw_due_at"],
                name="invoice_not_drawn",
                condition=Q(drawn_at=None, issued_at__isnull=False),
            ),
            models.Index(
                fields=["sent_at"],
                name="invoice_not_mailed",
                condition=Q(
                    mailed_at=None, is_sent_to_customer=True, sent_at__isnull=False
                ),
            ),
        )

    def __str__(self) -> str:
        return self.number or str(self.get_status_display())

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("invoices stay; correct them by a credit note")

    @property
    def is_issued(self) -> bool:
        return bool(self.number)

    @property
    def is_sent(self) -> bool:
        """Whether its customer may see it, whatever has become of it since."""
        return self.sent_at is not None

    @property
    def is_undrawable(self) -> bool:
        """Its files could not be made so far."""
        return self.drawn_at is None and bool(self.draw_error)

    @property
    def first_overdue_day(self) -> date | None:
        """From which day on it is overdue while something of it is open."""
        return self.overdue_from or self.overdue_on

    @property
    def due_day(self) -> date | None:
        """The day to pay by: as the document says, moved as the first overdue day was."""
        if self.due_on is None or self.overdue_from is None or self.overdue_on is None:
            return self.due_on
        return self.due_on + (self.overdue_from - self.overdue_on)

    @property
    def tax(self) -> Decimal:
        return self.total - self.net

    @property
    def open(self) -> Decimal:
        """What is still to be paid; nothing of what is cancelled or superseded."""
        if self.status in {InvoiceStatus.CANCELLED, InvoiceStatus.SUPERSEDED}:
            return ZERO
        return self.payable - self.settled


class InvoiceFile(models.Model):
    """A document as it was drawn, for good: rendering again gives the same bytes."""

    invoice = models.ForeignKey(
        Invoice,
        verbose_name=_("invoice"),
        on_delete=models.PROTECT,
        related_name="files",
        db_index=False,  # a longer one begins with it
    )
    kind = models.CharField(_("kind"), max_length=3, choices=FileKind.choices)
    file = models.ForeignKey(
        "core.StoredFile",
        verbose_name=_("file"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects: models.Manager[InvoiceFile] = ScopedManager(
        tree="invoice__account__customer__path__startswith"
    )

    class Meta:
        verbose_name = _("file of an invoice")
        verbose_name_plural = _("files of invoices")
        constraints = (
            models.UniqueConstraint(fields=["invoice", "kind"], name="file_once"),
        )

    def __str__(self) -> str:
        return f"{self.invoice}.{self.kind}"


class InvoiceLogo(models.Model):
    """A logo that stands on invoices; kept by its hash, whatever becomes of the brand."""

    hash = models.CharField(_("hash"), max_length=16)
    data = models.BinaryField(_("image"))

    class Meta:
        verbose_name = _("logo on invoices")
        verbose_name_plural = _("logos on invoices")
        constraints = (models.UniqueConstraint(fields=["hash"], name="logo_once"),)

    def __str__(self) -> str:
        return self.hash
