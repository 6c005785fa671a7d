from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from customers.choices import COUNTRY_CODES, TIME_ZONES, CustomerKind, Lock
from portal.core.postal import PostalAddress, postal_lines
from portal.core.scope import scopes_disabled
from portal.core.validators import (
    validate_digits,
    validate_emails,
    validate_name,
    validate_number,
    validate_visible,
)

if TYPE_CHECKING:
    from billing.models import BillingAccount

NAME_LENGTH = 120


class NameKey(Func):
    """What makes two names the same: no regard to case, width or spacing (design 4).

    Spacing of no width counts as spacing: joiners, soft hyphens, marks nobody sees.
    """

    unseen = (
        r"\s\u00AD\u034F\u061C\u180E\u200B-\u200F\u2060-\u2064\uFE00-\uFE0F\uFEFF"
        r"\U000E0000-\U000E007F"
    )
    # Small letters may go together with a mark that the capital did not: once more.
    template = (
        "normalize(lower(regexp_replace(normalize(%(expressions)s, NFKC),"
        f" '[{unseen}]+', '', 'g')), NFKC)"
    )
    output_field = models.CharField(max_length=500)
    arity = 1


class SortKey(Func):
    """Where a name stands in lists and what the search finds: `NameKey` without accents.

    Letters that are not a base letter with an accent, such as Ł, are spelled out; the
    embedded server has no collation that would know where they belong.
    """

    template = (
        "lower(regexp_replace(normalize(translate(%(expressions)s,"
        " 'ŁłØøĐđĦħŦŧ', 'LlOoDdHhTt'), NFKD),"
        rf" '[\u0300-\u036F{NameKey.unseen}]+', '', 'g'))"
    )
    output_field = models.CharField(max_length=500)
    arity = 1


def validate_time_zone(value: str) -> None:
    from django.core.exceptions import ValidationError

    if value not in TIME_ZONES:
        raise ValidationError(_("Choose a time zone from the list."), code="time_zone")


def validate_country(value: str) -> None:
    from django.core.exceptions import ValidationError

    if value not in COUNTRY_CODES:
        raise ValidationError(_("Choose a country from the list."), code="country")


class Customer(models.Model):
    """A tenant in the customer tree (D 1.1); what is about money is its billing account.

    ``path`` names the way from the root ("1.4.7.") and is written only by the services that
    create and move. Where a field may be empty, the rate plan decides; -1 means no limit.
    """

    parent = models.ForeignKey(
        "self",
        verbose_name=_("parent"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
    )
    path = models.CharField(
        _("path"), max_length=1000, unique=True, db_collation="C", editable=False
    )
    kind = models.CharField(
        _("type"),
        max_length=12,
        choices=CustomerKind.choices,
        default=CustomerKind.NORMAL,
        editable=False,
    )
    name = models.CharField(
        _("name"), max_length=NAME_LENGTH, validators=[validate_name]
    )
    name_key = models.GeneratedField(
        expression=NameKey(F("name")),
        output_field=models.CharField(max_length=500, db_collation="C"),
        db_persist=True,
    )
    sort_key = models.GeneratedField(
        expression=SortKey(F("name")),
        output_field=models.CharField(max_length=500, db_collation="C"),
        db_persist=True,
    )
    description = models.TextField(_("description"), blank=True, max_length=2000)
    account_number = models.CharField(
        _("account number"),
        max_length=20,
        help_text=_("Your customer types it when topping up with vouchers."),
    )
    account_counter = models.PositiveIntegerField(default=100000, editable=False)
    is_in_directory = models.BooleanField(
        _("include numbers in a directory"),
        default=False,
        help_text=_("Each number can overrule this."),
    )
    prefix = models.CharField(
        _("customer prefix"), max_length=10, blank=True, validators=[validate_digits]
    )
    lock = models.CharField(
        _("locked"), max_length=5, choices=Lock.choices, default=Lock.NONE
    )
    lock_reason = models.CharField(_("reason for the lock"), max_length=200, blank=True)
    concurrent_calls = models.IntegerField(
        _("maximum concurrent calls"),
        null=True,
        blank=True,
        validators=[MinValueValidator(-1), MaxValueValidator(100_000)],
    )
    bulk_calls = models.IntegerField(
        _("maximum bulk-dialler calls"),
        null=True,
        blank=True,
        validators=[MinValueValidator(-1), MaxValueValidator(100_000)],
    )
    voicemail_days = models.PositiveSmallIntegerField(
        _("purge voicemails after"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
    )
    voicemail_maximum = models.PositiveIntegerField(
        _("maximum voicemails per mailbox directory"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text=_("Faxes are not counted."),
    )
    callerid_in_external = models.BooleanField(
        _("receive caller id from external sources"), null=True, blank=True
    )
    callerid = models.CharField(
        _("default caller id"), max_length=16, blank=True, validators=[validate_number]
    )
    region = models.ForeignKey(
        "customers.Region",
        verbose_name=_("region"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=50,
        default="UTC",
        validators=[validate_time_zone],
        help_text=_(
            "Of every date and time shown to this customer, on pages and invoices."
        ),
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        help_text=_(
            "Of mails and invoices. Leave empty for that of the account above."
        ),
    )
    dial_plan = models.ForeignKey(
        "customers.DialPlan",
        verbose_name=_("default dial plan"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    address1 = models.CharField(
        _("address"),
        max_length=100,
        blank=True,
        validators=[validate_visible],
    )
    address2 = models.CharField(
        _("address, line 2"),
        max_length=100,
        blank=True,
        validators=[validate_visible],
    )
    address3 = models.CharField(
        _("address, line 3"),
        max_length=100,
        blank=True,
        validators=[validate_visible],
    )
    address_city = models.CharField(
        _("city"),
        max_length=80,
        blank=True,
        validators=[validate_visible],
    )
    address_state = models.CharField(
        _("state or county"),
        max_length=80,
        blank=True,
        validators=[validate_visible],
    )
    address_code = models.CharField(
        _("post code"),
        max_length=20,
        blank=True,
        validators=[validate_visible],
    )
    address_other = models.CharField(
        _("other address details"),
        max_length=100,
        blank=True,
        validators=[validate_visible],
    )
    country = models.CharField(
        _("country"), max_length=2, blank=True, validators=[validate_country]
    )
    telephone = models.CharField(
        _("telephone"), max_length=16, blank=True, validators=[validate_number]
    )
    fax = models.CharField(
        _("fax"), max_length=16, blank=True, validators=[validate_number]
    )
    email = models.CharField(
        _("billing e-mail"),
        max_length=500,
        validators=[validate_emails],
        help_text=_(
            "Invoices and notices go here. Separate several addresses by commas."
        ),
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    deleted_at = models.DateTimeField(
        _("deleted"), null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(
        _("created"), default=timezone.now, editable=False
    )

    account: BillingAccount
    objects: models.Manager[Customer] = ScopedManager(tree="path__startswith")

    class Meta:
        ordering = ("sort_key", "pk")
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = (
            models.UniqueConstraint(
                fields=["name_key"],
                name="customer_name_once",
                violation_error_message=_(
                    "This name is already in use. Names are unique in the whole system:"
                    " add a place or a number to it."
                ),
            ),
            models.UniqueConstraint(
                fields=["parent", "account_number"],
                name="customer_account_number_once_per_reseller",
                violation_error_message=_(
                    "Another of your customers has this account number."
                ),
            ),
            models.UniqueConstraint(
                Value(1),
                name="customer_tree_has_one_root",
                condition=Q(parent=None),
            ),
            models.CheckConstraint(
                name="customer_path_ends_with_its_id",
                condition=Q(path__regex=r"^([0-9]+\.)+$"),
            ),
            models.CheckConstraint(
                name="customer_lock_reason_only_when_locked",
                condition=~Q(lock="none") | Q(lock_reason=""),
            ),
            models.CheckConstraint(
                name="customer_limits_from_minus_one",
                condition=(Q(concurrent_calls=None) | Q(concurrent_calls__gte=-1))
                & (Q(bulk_calls=None) | Q(bulk_calls__gte=-1)),
            ),
        )
        # One for each order of the list, and trigrams within a reseller for the search.
        indexes = (
            models.Index(fields=["parent", "sort_key", "id"], name="customer_by_name"),
            models.Index(
                fields=["parent", "account_number", "id"], name="customer_by_number"
            ),
            models.Index(fields=["parent", "created_at", "id"], name="customer_by_age"),
            models.Index(fields=["sort_key", "id"], name="customer_all_by_name"),
            models.Index(fields=["created_at", "id"], name="customer_all_by_age"),
            models.Index(
                fields=["parent", "sort_key", "id"],
                name="customer_deleted",
                condition=Q(deleted_at__isnull=False),
            ),
            models.Index(
                fields=["parent", "sort_key", "id"],
                name="customer_locked",
                condition=~Q(lock="none"),
            ),
            GinIndex(
                F("parent_id"),
                OpClass(F("sort_key"), name="gin_trgm_ops"),
                OpClass(F("account_number"), name="gin_trgm_ops"),
                name="customer_search",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_root(self) -> bool:
        return self.parent_id is None

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def is_residential(self) -> bool:
        return self.kind == CustomerKind.RESIDENTIAL

    @property
    def ancestor_ids(self) -> list[int]:
        """From the root down to the parent; empty for the root."""
        return [int(part) for part in self.path.split(".")[:-2]]

    @property
    def depth(self) -> int:
        return self.path.count(".") - 1

    def ancestors(self) -> models.QuerySet[Customer]:
        """The accounts above, from the root down."""
        with scopes_disabled():  # they are outside the tenant by nature
            above = Customer.objects.all()
        return above.filter(pk__in=self.ancestor_ids).order_by("path")

    def spoken_language(self) -> str:
        """Of its mails and invoices: its own, else the nearest one above's."""
        if self.language:
            return self.language
        above = self.ancestors().order_by("-path").values_list("language", flat=True)
        return next((found for found in above if found), settings.LANGUAGE_CODE)

    def is_below(self, other: Any) -> bool:
        """Whether ``other`` (anything with a path) is somewhere above this customer."""
        return self.path != other.path and self.path.startswith(other.path)

    def is_within(self, other: Any) -> bool:
        return self.path.startswith(other.path)

    def addressed_to(self, name: str) -> list[str]:
        """The lines of an envelope to ``name`` here, in its country's order, without it."""
        streets = (self.address1, self.address2, self.address3, self.address_other)
        address = PostalAddress(
            self.country,
            streets,
            self.address_city,
            self.address_state,
            self.address_code,
        )
        return postal_lines(address, name)

    @property
    def postal_lines(self) -> list[str]:
        """The address as printed on an envelope, without the name and the country."""
        return self.addressed_to("")
