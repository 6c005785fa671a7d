from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.parties import (
    endpoint_errors,
    format_iban,
    validate_bic,
    validate_creditor_id,
    validate_iban,
    validate_vat_id,
)
from billing.party_choices import EndpointScheme, TaxRounding, UntaxedCategory
from portal.core.money import validate_currency
from portal.core.validators import validate_name, validate_visible


class Seller(models.Model):
    """What an account says about itself on the invoices that it issues to its customers.

    Made when it is first saved: an account without a row has the defaults. Postal address
    and telephone stand on the customer's own row, logo and colours on its company.
    """

    customer = models.OneToOneField(
        "customers.Customer",
        verbose_name=_("customer"),
        on_delete=models.CASCADE,
        related_name="seller",
    )
    legal_name = models.CharField(
        _("legal name"),
        max_length=120,
        blank=True,
        validators=[validate_name],
        help_text=_(
            "As registered. Leave empty if it is the same as the account's name."
        ),
    )
    trading_name = models.CharField(
        _("trading name"),
        max_length=120,
        blank=True,
        validators=[validate_name],
        help_text=_("If your customers know you by another name."),
    )
    register_number = models.CharField(
        _("register number"),
        max_length=60,
        blank=True,
        validators=[validate_visible],
        help_text=_("In the company register, such as HRB 123456."),
    )
    legal_form = models.CharField(
        _("legal form and register"),
        max_length=300,
        blank=True,
        validators=[validate_visible],
        help_text=_(
            "What the law requires on letters: legal form, court, directors, share"
            " capital."
        ),
    )
    vat_id = models.CharField(
        _("VAT ID"),
        max_length=20,
        blank=True,
        validators=[validate_vat_id],
        help_text=_("With the country's letters in front, such as DE123456788."),
    )
    tax_number = models.CharField(
        _("tax number"),
        max_length=40,
        blank=True,
        validators=[validate_visible],
        help_text=_("From your tax office; needed if you have no VAT ID."),
    )
    endpoint_scheme = models.CharField(
        _("kind of electronic address"),
        max_length=4,
        choices=EndpointScheme.choices,
        blank=True,
        help_text=_("The kind of number that your address in the Peppol network is."),
    )
    endpoint_id = models.CharField(
        _("electronic address"),
        max_length=135,
        blank=True,
        help_text=_("The number itself. Your Peppol provider can tell you."),
    )
    contact_name = models.CharField(
        _("contact"),
        max_length=100,
        blank=True,
        validators=[validate_name],
        help_text=_("A person or department that answers questions about invoices."),
    )
    contact_telephone = models.CharField(
        _("contact's telephone"),
        max_length=40,
        blank=True,
        validators=[validate_visible],
    )
    contact_email = models.EmailField(_("contact's e-mail"), blank=True)
    account_holder = models.CharField(
        _("account holder"),
        max_length=70,
        blank=True,
        validators=[validate_name],
        help_text=_("Leave empty if it is the legal name."),
    )
    iban = models.CharField(
        "IBAN",
        max_length=34,
        blank=True,
        validators=[validate_iban],
        help_text=_("Where customers pay to. Spaces are fine."),
    )
    bic = models.CharField(
        "BIC",
        max_length=11,
        blank=True,
        validators=[validate_bic],
        help_text=_("Needed for transfers from outside the euro area."),
    )
    bank_name = models.CharField(
        _("bank name"), max_length=80, blank=True, validators=[validate_visible]
    )
    bank_code = models.CharField(
        _("bank code"),
        max_length=20,
        blank=True,
        validators=[validate_visible],
        help_text=_("Routing number or sort code, where there is no IBAN."),
    )
    account_number = models.CharField(
        _("account number"),
        max_length=34,
        blank=True,
        validators=[validate_visible],
        help_text=_("Only where there is no IBAN, as in the United States."),
    )
    creditor_id = models.CharField(
        _("creditor identifier"),
        max_length=35,
        blank=True,
        validators=[validate_creditor_id],
        help_text=_(
            "For SEPA direct debits; your central bank gives it, such as"
            " DE98ZZZ09999999999."
        ),
    )
    payment_terms = models.CharField(
        _("payment terms"),
        max_length=300,
        blank=True,
        validators=[validate_visible],
        help_text=_("Printed beside the due date, such as “without deduction”."),
    )
    tax_rounding = models.CharField(
        _("rounding of taxes"),
        max_length=9,
        choices=TaxRounding.choices,
        default=TaxRounding.PER_TOTAL,
        help_text=_(
            "Electronic invoices expect once per tax. Added up line by line, an"
            " invoice can differ from that by a few cents, which are then shown"
            " separately."
        ),
    )
    untaxed_category = models.CharField(
        _("lines without VAT are"),
        max_length=1,
        choices=UntaxedCategory.choices,
        default=UntaxedCategory.ZERO_RATED,
        help_text=_(
            "What lines without VAT are called for customers who are taxed as usual."
            " The last choice is for sellers outside the VAT system, as in the United"
            " States: other taxes then appear as surcharges."
        ),
    )
    untaxed_reason = models.CharField(
        _("reason of the exemption"),
        max_length=200,
        blank=True,
        validators=[validate_visible],
        help_text=_("The law, such as “§ 19 UStG”; needed if it is exempt."),
    )
    books_currency = models.CharField(
        _("currency of the tax office"),
        max_length=3,
        blank=True,
        validators=[validate_currency],
        help_text=_(
            "Invoices in other currencies state their VAT in this one as well."
        ),
    )
    reviews_invoices = models.BooleanField(
        _("review invoices first"),
        default=False,
        help_text=_("Invoices wait for approval before they are sent."),
    )
    copy_invoices = models.BooleanField(
        _("copy of each invoice"),
        default=False,
        help_text=_(
            "Your billing e-mail gets a copy of every invoice that is e-mailed."
        ),
    )

    objects: models.Manager[Seller] = ScopedManager(tree="customer__path__startswith")

    class Meta:
        verbose_name = _("seller")
        verbose_name_plural = _("sellers")
        constraints = (
            models.CheckConstraint(
                name="seller_endpoint_is_whole",
                condition=Q(endpoint_scheme="", endpoint_id="")
                | ~Q(endpoint_scheme="") & ~Q(endpoint_id=""),
            ),
            models.CheckConstraint(
                name="seller_has_one_bank_account",
                condition=Q(iban="") | Q(account_number=""),
            ),
            models.CheckConstraint(
                name="seller_exemption_has_a_reason",
                condition=~Q(untaxed_category=UntaxedCategory.EXEMPT)
                | ~Q(untaxed_reason=""),
            ),
            # No invoice outside VAT may name a VAT ID (BR-O-02).
            models.CheckConstraint(
                name="seller_outside_vat_has_no_vat_id",
                condition=~Q(untaxed_category=UntaxedCategory.OUTSIDE) | Q(vat_id=""),
            ),
        )

    def __str__(self) -> str:
        return self.legal_name or self.customer.name

    def clean(self) -> None:
        """What the fields must be together; raises ValidationError by field."""
        errors = endpoint_errors(self.endpoint_scheme, self.endpoint_id)
        if self.iban and self.account_number:
            errors["account_number"] = ValidationError(
                _("Enter the IBAN or an account number, not both."), code="two"
            )
        if self.untaxed_category == UntaxedCategory.EXEMPT and not self.untaxed_reason:
            errors["untaxed_reason"] = ValidationError(
                _("Say by which law it is exempt."), code="required"
            )
        if self.is_outside_vat and self.vat_id:
            errors["vat_id"] = ValidationError(
                _("Nothing you sell is subject to VAT, so no VAT ID may be given."),
                code="outside",
            )
        if errors:
            raise ValidationError(errors)

    @property
    def is_outside_vat(self) -> bool:
        """Whether its invoices know no VAT at all: category O throughout."""
        return self.untaxed_category == UntaxedCategory.OUTSIDE

    @property
    def bank_account(self) -> str:
        """What customers transfer to: the IBAN, or the number where there is none."""
        return self.iban or self.account_number

    @property
    def iban_in_groups(self) -> str:
        return format_iban(self.iban)
