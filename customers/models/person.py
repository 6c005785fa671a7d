from __future__ import annotations

import ipaddress
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from customers.choices import DateFormat, TimeFormat
from customers.models.customer import (
    NameKey,
    SortKey,
    validate_country,
    validate_time_zone,
)
from portal.core.permissions import Permission
from portal.core.validators import (
    split_emails,
    validate_emails,
    validate_name,
    validate_number,
)


def parse_networks(
    value: str,
) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Addresses and CIDR ranges separated by spaces or commas (D 7.1).

    Raises ValidationError that names the wrong one.
    """
    networks = []
    for word in value.replace(",", " ").split():
        try:
            networks.append(ipaddress.ip_network(word, strict=False))
        except ValueError:
            raise ValidationError(
                _("“%(word)s” is not an address or range such as 192.0.2.0/24."),
                code="invalid_network",
                params={"word": word[:60]},
            ) from None
    return networks


def validate_networks(value: str) -> None:
    parse_networks(value)


class PersonManager(BaseUserManager["Person"]):
    def get_by_natural_key(self, username: str | None) -> Person:
        """By user name, without regard to case, width or spacing."""
        return self.get(username_key=NameKey(Value(username or "")))


class Person(AbstractBaseUser):
    """Anyone who may sign in (D 7.1), and the pseudo-people one switches to (D 7.5)."""

    customer = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("customer"),
        on_delete=models.CASCADE,
        related_name="people",
    )
    username = models.CharField(
        _("user name"),
        max_length=150,
        validators=[validate_name],
        help_text=_("An e-mail address is a good user name: nobody else has it."),
    )
    username_key = models.GeneratedField(
        expression=NameKey(F("username")),
        output_field=models.CharField(max_length=600, db_collation="C"),
        db_persist=True,
    )
    emails = models.CharField(
        _("e-mail"), max_length=500, blank=True, validators=[validate_emails]
    )
    # Everything a person is searched by, in the one form that the trigram index holds.
    search_key = models.GeneratedField(
        expression=SortKey(
            Concat(
                F("first_name"),
                F("last_name"),
                Value(" "),
                F("username"),
                Value(" "),
                F("emails"),
            )
        ),
        output_field=models.CharField(max_length=2000, db_collation="C"),
        db_persist=True,
    )
    role = models.ForeignKey(
        "customers.Role",
        verbose_name=_("role"),
        on_delete=models.PROTECT,
        related_name="people",
    )
    is_pseudo = models.BooleanField(default=False, editable=False)
    is_active = models.BooleanField(_("may log in"), default=True)
    title = models.CharField(_("title"), max_length=30, blank=True)
    first_name = models.CharField(_("first name"), max_length=60, blank=True)
    last_name = models.CharField(_("last name"), max_length=60, blank=True)
    company = models.CharField(_("company"), max_length=100, blank=True)
    description = models.TextField(_("description"), blank=True, max_length=2000)
    country = models.CharField(
        _("country"), max_length=2, blank=True, validators=[validate_country]
    )
    telephone = models.CharField(
        _("telephone"), max_length=16, blank=True, validators=[validate_number]
    )
    mobile = models.CharField(
        _("mobile"), max_length=16, blank=True, validators=[validate_number]
    )
    fax = models.CharField(
        _("fax"), max_length=16, blank=True, validators=[validate_number]
    )
    extension = models.CharField(
        _("extension for dial-by-name"), max_length=20, blank=True
    )
    language = models.CharField(_("language"), max_length=10, blank=True)
    time_zone = models.CharField(
        _("time zone"), max_length=50, blank=True, validators=[validate_time_zone]
    )
    date_format = models.CharField(
        _("date format"),
        max_length=10,
        choices=DateFormat.choices,
        default=DateFormat.ISO,
    )
    time_format = models.CharField(
        _("time format"),
        max_length=10,
        choices=TimeFormat.choices,
        default=TimeFormat.H24,
    )
    public_key = models.TextField(_("GPG public key"), blank=True, max_length=20_000)
    source_ips = models.CharField(
        _("source addresses"),
        max_length=500,
        blank=True,
        validators=[validate_networks],
        help_text=_(
            "Addresses and ranges that logging in is allowed from. Leave empty for any."
        ),
    )
    failed_logins = models.PositiveIntegerField(
        _("failed logins"), default=0, editable=False
    )
    created_at = models.DateTimeField(
        _("created"), default=timezone.now, editable=False
    )

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "emails"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: PersonManager = ScopedManager(
        _manager_class=PersonManager, tree="customer__path__startswith"
    )

    class Meta:
        ordering = ("username_key",)
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = (
            models.UniqueConstraint(
                fields=["username_key"],
                name="person_username_once",
                violation_error_message=_("This user name is taken."),
            ),
            models.UniqueConstraint(
                fields=["customer"],
                name="person_one_pseudo_per_customer",
                condition=Q(is_pseudo=True),
            ),
            models.CheckConstraint(
                name="person_brackets_are_pseudo",
                # By the key: a bracket of full width makes the same name as "[".
                condition=Q(is_pseudo=True) | ~Q(username_key__startswith="["),
                violation_error_message=_(
                    "A user name cannot begin with a square bracket."
                ),
            ),
        )
        indexes = (
            models.Index(
                fields=["customer", "username_key"], name="person_by_username"
            ),
            GinIndex(
                OpClass(F("search_key"), name="gin_trgm_ops"), name="person_search"
            ),
        )

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """First and last name, else the user name."""
        return f"{self.first_name} {self.last_name}".strip() or self.username

    @property
    def email_addresses(self) -> list[str]:
        return split_emails(self.emails)

    @property
    def networks(self) -> list[Any]:
        return parse_networks(self.source_ips)

    def may_come_from(self, address: str | None) -> bool:
        """Whether the source-address rule lets this person in from ``address``."""
        if not self.source_ips:
            return True
        return address is not None and any(
            ipaddress.ip_address(address) in network for network in self.networks
        )

    @property
    def effective_time_zone(self) -> str:
        return self.time_zone or self.customer.time_zone

    @property
    def effective_language(self) -> str:
        return self.language or self.customer.language or settings.LANGUAGE_CODE

    # The Django admin is for the system owner's staff (design 8); it asks these.

    @property
    def is_staff(self) -> bool:
        return (
            self.is_active
            and not self.is_pseudo
            and self.customer.is_root
            and self.role.has(Permission.SYSTEM)
        )

    @property
    def is_superuser(self) -> bool:
        return self.is_staff

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff
