from __future__ import annotations

import re
from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.choices import LedgerFaultKind, RunStep

# Nobody has worked on it for so long, although sweeps should have seen to that.
STUCK_AFTER = timedelta(hours=3)
# How faults of the program were kept before they had a reference.
OLD_FAULT = re.compile(r"\w+(Error|Exception): ")


class PeriodRun(models.Model):
    """One run that charges what is due on all accounts, then invoices; how far it has come.

    What is charged and invoiced stands in the accounts, their ledgers and invoices: a run
    that was interrupted is continued by whoever takes up its parts. ``total``, ``done`` and
    ``failed`` count accounts that are charged, ``to_invoice``, ``invoiced`` and
    ``invoice_failed`` those that are invoiced.
    """

    on = models.DateField(
        _("day"),
        null=True,
        blank=True,
        help_text=_("Empty: the day it is where each account is."),
    )
    total = models.PositiveIntegerField(_("accounts"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    to_invoice = models.PositiveIntegerField(_("accounts to invoice"), default=0)
    invoiced = models.PositiveIntegerField(_("accounts invoiced"), default=0)
    invoice_failed = models.PositiveIntegerField(
        _("accounts whose invoice failed"), default=0
    )
    step = models.CharField(
        _("step"), max_length=8, choices=RunStep.choices, default=RunStep.CHARGES
    )
    step_at = models.DateTimeField(
        _("step begun"),
        default=timezone.now,
        help_text=_("When the step was begun, or gone on with."),
    )
    step_done = models.PositiveIntegerField(
        _("done before"),
        default=0,
        help_text=_("How many accounts of the step were done by then."),
    )
    worked_at = models.DateTimeField(_("last worked on"), null=True, blank=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("billing run")
        verbose_name_plural = _("billing runs")
        constraints = (
            models.UniqueConstraint(
                fields=["on"],
                nulls_distinct=False,
                condition=models.Q(finished_at=None),
                name="one_open_run_per_day",
            ),
        )

    def __str__(self) -> str:
        return f"{self.on or self.started_at:%Y-%m-%d}"

    @property
    def is_stopped(self) -> bool:
        """Whether somebody stopped it, so that it waits to be continued."""
        return self.stopped_at is not None and self.finished_at is None

    @property
    def is_working(self) -> bool:
        """Whether workers are at it, or should be."""
        return self.stopped_at is None and self.finished_at is None

    @property
    def is_stuck(self) -> bool:
        """Whether it was worked on long ago and did not end."""
        last = self.worked_at or self.started_at
        return self.is_working and last < timezone.now() - STUCK_AFTER

    def tally(self, step: str) -> tuple[int, int, int]:
        """How many accounts the step has, how many went well, how many failed."""
        if step == RunStep.CHARGES:
            return self.total, self.done, self.failed
        return self.to_invoice, self.invoiced, self.invoice_failed


class RunPart(models.Model):
    """Some accounts of a run: what one worker takes at a time.

    Whoever has one holds it until ``leased_until``, under a ``token`` of its own and from
    the database connection named by ``holder``: when that has gone, or time is over,
    another takes it up where it was left. Rows go when the run ends.
    """

    run = models.ForeignKey(
        PeriodRun,
        verbose_name=_("billing run"),
        on_delete=models.CASCADE,
        related_name="parts",
    )
    step = models.CharField(_("step"), max_length=8, choices=RunStep.choices)
    account_ids = ArrayField(models.BigIntegerField(), verbose_name=_("accounts"))
    done = models.PositiveIntegerField(_("done"), default=0)
    token = models.UUIDField(_("token"), null=True, blank=True)
    leased_until = models.DateTimeField(_("held until"), null=True, blank=True)
    holder = models.IntegerField(_("database process"), null=True, blank=True)
    holder_since = models.DateTimeField(_("its begin"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("part of a billing run")
        verbose_name_plural = _("parts of billing runs")
        indexes = (
            models.Index(
                fields=["run", "id"],
                name="part_unfinished",
                condition=models.Q(finished_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_step_display()} {self.done}/{len(self.account_ids)}"


class RunInvoice(models.Model):
    """An invoice that a run has issued, or held back."""

    run = models.ForeignKey(
        PeriodRun,
        verbose_name=_("billing run"),
        on_delete=models.CASCADE,
        db_index=False,  # invoice_once_per_run begins with it
        related_name="invoice_links",
    )
    invoice = models.ForeignKey(
        "billing.Invoice",
        verbose_name=_("invoice"),
        on_delete=models.CASCADE,
        related_name="run_links",
    )

    objects: models.Manager[RunInvoice] = ScopedManager(
        tree="invoice__account__customer__path__startswith"
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("invoice of a billing run")
        verbose_name_plural = _("invoices of billing runs")
        constraints = (
            models.UniqueConstraint(
                fields=["run", "invoice"], name="invoice_once_per_run"
            ),
        )

    def __str__(self) -> str:
        return str(self.invoice)


class RunFailure(models.Model):
    """An account that a run could not charge or invoice, and why; the next run tries again.

    ``error`` is what people are told; or, where the program itself failed, `LOGGED` and the
    reference under which the log has it.
    """

    LOGGED = "log:"

    run = models.ForeignKey(
        PeriodRun,
        verbose_name=_("billing run"),
        on_delete=models.CASCADE,
        db_index=False,  # failure_once_per_run begins with it
        related_name="failures",
    )
    account = models.ForeignKey(
        "billing.BillingAccount",
        verbose_name=_("billing account"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    step = models.CharField(
        _("step"), max_length=8, choices=RunStep.choices, default=RunStep.CHARGES
    )
    error = models.CharField(_("error"), max_length=500)
    at = models.DateTimeField(_("time"), default=timezone.now)

    objects: models.Manager[RunFailure] = ScopedManager(
        tree="account__customer__path__startswith"
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("failure of a billing run")
        verbose_name_plural = _("failures of billing runs")
        constraints = (
            models.UniqueConstraint(
                fields=["run", "account"], name="failure_once_per_run"
            ),
        )

    def __str__(self) -> str:
        return self.reason

    @property
    def reason(self) -> str:
        """Why it failed, in words for everybody."""
        if self.error.startswith(self.LOGGED):
            reference = self.error.removeprefix(self.LOGGED)
            text = gettext(
                "Something went wrong in the program. The log has it as %(ref)s."
            )
            return text % {"ref": reference}
        if OLD_FAULT.match(self.error):
            return gettext("Something went wrong in the program. The log has it.")
        return self.error


class LedgerCheck(models.Model):
    """One proof of the books: how much was looked through, and how much was wrong."""

    accounts = models.PositiveBigIntegerField(_("accounts"), default=0)
    entries = models.PositiveBigIntegerField(_("entries"), default=0)
    faults = models.PositiveIntegerField(_("faults"), default=0)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("check of the ledger")
        verbose_name_plural = _("checks of the ledger")

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d}"


class LedgerFault(models.Model):
    """What a check found wrong with an account; a check keeps the first of many only."""

    ledger_check = models.ForeignKey(
        LedgerCheck,
        verbose_name=_("check of the ledger"),
        on_delete=models.CASCADE,
        related_name="found",
    )
    account = models.ForeignKey(
        "billing.BillingAccount",
        verbose_name=_("billing account"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    kind = models.CharField(_("fault"), max_length=10, choices=LedgerFaultKind.choices)
    entry_id = models.BigIntegerField(_("ledger entry"), null=True, blank=True)
    expected = models.DecimalField(_("expected"), max_digits=20, decimal_places=6)
    present = models.DecimalField(_("present"), max_digits=20, decimal_places=6)

    objects: models.Manager[LedgerFault] = ScopedManager(
        tree="account__customer__path__startswith"
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("fault of the ledger")
        verbose_name_plural = _("faults of the ledger")

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.present} ≠ {self.expected}"
