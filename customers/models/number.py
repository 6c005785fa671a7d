from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from customers.models.customer import validate_country
from portal.core.validators import validate_number


class Number(models.Model):
    """A telephone number in the hands of one customer.

    Free means that it leads nowhere yet: the account holding it may use it, or hand it to a
    customer below. What a customer gives up goes back to the account above.
    """

    number = models.CharField(
        _("number"),
        max_length=16,
        validators=[validate_number],
        help_text=_("E.164: + and up to 15 digits."),
    )
    customer = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("customer"),
        on_delete=models.PROTECT,
        related_name="numbers",
    )
    number_class = models.ForeignKey(
        "rateplans.NumberClass",
        verbose_name=_("class"),
        on_delete=models.PROTECT,
        related_name="numbers",
    )
    country = models.CharField(
        _("country"), max_length=2, blank=True, validators=[validate_country]
    )
    area = models.CharField(_("area"), max_length=80, blank=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    line = models.ForeignKey(
        "customers.TelephoneLine",
        verbose_name=_("rings at line"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="numbers",
    )
    mailbox = models.ForeignKey(
        "customers.Mailbox",
        verbose_name=_("unanswered calls go to mailbox"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="numbers",
    )
    is_in_directory = models.BooleanField(
        _("include in the directory"), null=True, blank=True
    )
    created_at = models.DateTimeField(
        _("created"), default=timezone.now, editable=False
    )

    objects: models.Manager[Number] = ScopedManager(tree="customer__path__startswith")

    class Meta:
        ordering = ("number",)
        verbose_name = _("number")
        verbose_name_plural = _("numbers")
        constraints = (
            models.UniqueConstraint(
                fields=["number"],
                name="number_once",
                violation_error_message=_("This number is already in the system."),
            ),
            models.CheckConstraint(
                name="number_is_e164",
                condition=Q(number__regex=r"^\+[1-9][0-9]{2,14}$"),
            ),
        )
        indexes = (
            models.Index(fields=["customer", "number"], name="number_by_customer"),
            models.Index(
                fields=["customer", "number_class", "number"],
                name="number_free",
                condition=Q(line=None, mailbox=None),
            ),
            GinIndex(OpClass(F("number"), name="gin_trgm_ops"), name="number_search"),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def is_free(self) -> bool:
        return self.line_id is None and self.mailbox_id is None
