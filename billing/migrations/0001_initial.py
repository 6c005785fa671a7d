from decimal import Decimal

import django.core.validators
from django.db import migrations, models

import portal.core.money


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="BillingAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        max_length=3,
                        validators=[portal.core.money.validate_currency],
                        verbose_name="currency",
                    ),
                ),
                (
                    "balance",
                    models.DecimalField(
                        decimal_places=6,
                        default=Decimal("0"),
                        editable=False,
                        max_digits=20,
                        verbose_name="balance",
                    ),
                ),
                (
                    "credit_limit",
                    models.DecimalField(
                        decimal_places=6,
                        default=Decimal("0"),
                        max_digits=20,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="credit limit",
                    ),
                ),
                (
                    "bill_type",
                    models.CharField(
                        choices=[
                            ("prepaid", "Pre-paid, invoices for top-ups"),
                            ("prepaid_invoices", "Pre-paid, full invoices"),
                            ("prepaid_calls", "Pre-paid, balance is calls only"),
                            ("postpaid", "Post-paid"),
                            ("external", "External application"),
                            ("none", "None"),
                        ],
                        max_length=20,
                        verbose_name="billing type",
                    ),
                ),
                (
                    "bill_ref",
                    models.CharField(
                        blank=True, max_length=60, verbose_name="billing reference"
                    ),
                ),
                (
                    "tax_reference",
                    models.CharField(
                        blank=True, max_length=40, verbose_name="tax reference"
                    ),
                ),
                (
                    "payment_type",
                    models.CharField(
                        choices=[
                            ("manual", "Manual"),
                            ("credit_card", "Credit card"),
                            ("direct_debit", "Direct debit"),
                        ],
                        default="manual",
                        max_length=15,
                        verbose_name="payment type",
                    ),
                ),
                (
                    "due_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(365)],
                        verbose_name="invoices due after",
                    ),
                ),
                (
                    "send_invoices",
                    models.BooleanField(
                        blank=True, null=True, verbose_name="send invoices"
                    ),
                ),
                (
                    "invoice_format",
                    models.CharField(
                        blank=True,
                        choices=[("pdf", "PDF"), ("xml", "XML")],
                        max_length=3,
                        verbose_name="invoice format",
                    ),
                ),
                (
                    "invoice_detail",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("total", "Total only"),
                            ("summary", "Summary by kind"),
                            ("destination", "By destination"),
                            ("itemised", "Itemised"),
                        ],
                        max_length=12,
                        verbose_name="invoice detail",
                    ),
                ),
                (
                    "contract",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("none", "None"),
                            ("1_month", "1 month"),
                            ("3_month", "3 months"),
                            ("6_month", "6 months"),
                            ("1_year", "1 year"),
                            ("18_month", "18 months"),
                            ("2_year", "2 years"),
                            ("3_year", "3 years"),
                        ],
                        max_length=10,
                        verbose_name="minimum contract",
                    ),
                ),
                (
                    "contract_ends_on",
                    models.DateField(
                        blank=True,
                        editable=False,
                        null=True,
                        verbose_name="minimum contract ends",
                    ),
                ),
                (
                    "call_maximum",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        max_digits=20,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(-1)],
                        verbose_name="maximum spend per day",
                    ),
                ),
                (
                    "low_balance",
                    models.DecimalField(
                        decimal_places=6,
                        default=Decimal("0"),
                        max_digits=20,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="e-mail when balance is low",
                    ),
                ),
                (
                    "auto_topup",
                    models.DecimalField(
                        decimal_places=6,
                        default=Decimal("0"),
                        max_digits=20,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="automatic top-up",
                    ),
                ),
                (
                    "bank_name",
                    models.CharField(
                        blank=True, max_length=80, verbose_name="bank name"
                    ),
                ),
                (
                    "bank_code",
                    models.CharField(
                        blank=True, max_length=20, verbose_name="bank code"
                    ),
                ),
                (
                    "bank_account_name",
                    models.CharField(
                        blank=True, max_length=80, verbose_name="account holder"
                    ),
                ),
                (
                    "bank_account_number",
                    models.CharField(
                        blank=True, max_length=40, verbose_name="bank account number"
                    ),
                ),
                (
                    "affiliate_type",
                    models.CharField(
                        blank=True,
                        choices=[("revenue", "Revenue"), ("profit", "Profit")],
                        max_length=8,
                        verbose_name="affiliate is paid by",
                    ),
                ),
                (
                    "affiliate_percentage",
                    models.PositiveSmallIntegerField(
                        default=0,
                        validators=[django.core.validators.MaxValueValidator(100)],
                        verbose_name="affiliate percentage",
                    ),
                ),
            ],
            options={
                "verbose_name": "billing account",
                "verbose_name_plural": "billing accounts",
            },
        ),
        migrations.CreateModel(
            name="Tax",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                (
                    "description",
                    models.TextField(blank=True, verbose_name="description"),
                ),
                (
                    "rate",
                    models.DecimalField(
                        decimal_places=6,
                        default=Decimal("0"),
                        help_text="Percent of the net price.",
                        max_digits=9,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="rate",
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=6,
                        default=Decimal("0"),
                        help_text="Added after the rate.",
                        max_digits=20,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="amount",
                    ),
                ),
                (
                    "liable",
                    models.CharField(
                        choices=[
                            ("nobody", "Nobody until ticked"),
                            ("new", "New customers"),
                            ("all", "New and existing customers"),
                        ],
                        default="all",
                        max_length=10,
                        verbose_name="liable by default",
                    ),
                ),
                (
                    "is_shared",
                    models.BooleanField(
                        default=False,
                        help_text="Resellers below may make their customers liable too.",
                        verbose_name="shared with everybody",
                    ),
                ),
            ],
            options={
                "verbose_name": "tax",
                "verbose_name_plural": "taxes",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="TaxLiability",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
            ],
            options={
                "verbose_name": "tax liability",
                "verbose_name_plural": "tax liabilities",
            },
        ),
    ]
