from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.choices import LedgerFaultKind

# The next run, an hour later, should have taken over by then.
STUCK_AFTER = timedelta(hours=3)


class PeriodRun(models.Model):
    """One run that charges what is due on all accounts, and how far it has come.

    What is charged stands in the accounts and their ledgers: a run that was interrupted is
    continued by the next one for the same day.
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
    def is_stuck(self) -> bool:
        """Whether it began long ago and did not end."""
        began_long_ago = self.started_at < timezone.now() - STUCK_AFTER
        return self.finished_at is None and began_long_ago


class RunFailure(models.Model):
    """An account that a run could not charge, and why; the next run tries it again."""

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
