from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.choices import Interface, RoleDefault
from portal.core.permissions import Menu, Permission


class Role(models.Model):
    """A set of permissions and menus (D 7.2-7.3), the same for the whole system."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    description = models.TextField(_("description"), blank=True)
    may_login = models.BooleanField(_("may log in"), default=True)
    may_use_api = models.BooleanField(_("may use the API"), default=False)
    interface = models.CharField(
        _("user interface"),
        max_length=12,
        choices=Interface.choices,
        default=Interface.FULL,
    )
    permissions = ArrayField(
        models.CharField(max_length=20, choices=Permission.choices),
        verbose_name=_("permissions"),
        default=list,
        blank=True,
    )
    menus = ArrayField(
        models.CharField(max_length=20, choices=Menu.choices),
        verbose_name=_("menus"),
        default=list,
        blank=True,
    )
    default_for = models.CharField(
        _("default for"),
        max_length=15,
        choices=RoleDefault.choices,
        blank=True,
        help_text=_("Taking over a default takes it from the role that had it."),
    )

    transaction_maximum = models.DecimalField(
        _("most to book at once"),
        max_digits=20,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_(
            "For transactions by hand, in the currency of the account booked on. Leave"
            " empty for no limit."
        ),
    )

    class Meta:
        ordering = ("name",)
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = (
            models.UniqueConstraint(
                fields=["default_for"],
                name="role_default_once",
                condition=~models.Q(default_for=""),
            ),
            models.CheckConstraint(
                name="role_transaction_maximum_is_not_negative",
                condition=models.Q(transaction_maximum=None)
                | models.Q(transaction_maximum__gte=0),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def has(self, permission: Permission) -> bool:
        return permission in self.permissions

    @property
    def is_administrator(self) -> bool:
        """May make new features in its own customer (D 7.2)."""
        return self.has(Permission.ADMINISTRATOR)
