import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

import portal.core.money


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="NumberClass",
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
                ("name", models.CharField(max_length=40, verbose_name="name")),
                (
                    "description",
                    models.TextField(blank=True, verbose_name="description"),
                ),
                (
                    "rank",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Classes are listed from the lowest rank up.",
                        verbose_name="rank",
                    ),
                ),
            ],
            options={
                "verbose_name": "number class",
                "verbose_name_plural": "number classes",
                "ordering": ("rank", "name"),
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"),
                        name="number_class_name_once",
                        violation_error_message="There is a number class of this name.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RatePlan",
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
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "description",
                    models.TextField(blank=True, verbose_name="description"),
                ),
                (
                    "share",
                    models.CharField(
                        choices=[
                            ("no", "Not shared"),
                            ("direct", "Shared with own resellers"),
                            ("recursive", "Shared with all resellers below"),
                        ],
                        default="no",
                        max_length=10,
                        verbose_name="share with resellers",
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
                        default="prepaid",
                        max_length=20,
                        verbose_name="billing type",
                    ),
                ),
                (
                    "billing_period",
                    models.CharField(
                        choices=[
                            ("monthly", "Monthly"),
                            ("quarterly", "Quarterly"),
                            ("annually", "Annually"),
                            ("indefinite", "Indefinite: fees are never charged"),
                        ],
                        default="monthly",
                        max_length=12,
                        verbose_name="billing period",
                    ),
                ),
                (
                    "bill_defer",
                    models.BooleanField(
                        default=False,
                        help_text="Begin with the next period instead of charging a part of this one.",
                        verbose_name="delay billing",
                    ),
                ),
                (
                    "due_days",
                    models.PositiveSmallIntegerField(
                        default=14, verbose_name="invoices due after"
                    ),
                ),
                (
                    "overdue_days",
                    models.PositiveSmallIntegerField(
                        default=14, verbose_name="overdue after"
                    ),
                ),
                (
                    "send_invoices",
                    models.BooleanField(default=True, verbose_name="send invoices"),
                ),
                (
                    "invoice_format",
                    models.CharField(
                        choices=[("pdf", "PDF"), ("xml", "XML")],
                        default="pdf",
                        max_length=3,
                        verbose_name="invoice format",
                    ),
                ),
                (
                    "invoice_detail",
                    models.CharField(
                        choices=[
                            ("total", "Total only"),
                            ("summary", "Summary by kind"),
                            ("destination", "By destination"),
                            ("itemised", "Itemised"),
                        ],
                        default="summary",
                        max_length=12,
                        verbose_name="invoice detail",
                    ),
                ),
                (
                    "contract",
                    models.CharField(
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
                        default="none",
                        max_length=10,
                        verbose_name="minimum contract",
                    ),
                ),
                (
                    "call_maximum",
                    models.DecimalField(
                        decimal_places=6,
                        default=-1,
                        help_text="-1: no limit.",
                        max_digits=20,
                        validators=[django.core.validators.MinValueValidator(-1)],
                        verbose_name="maximum spend per day",
                    ),
                ),
                (
                    "concurrent_calls",
                    models.IntegerField(
                        default=-1,
                        help_text="-1: no limit.",
                        validators=[django.core.validators.MinValueValidator(-1)],
                        verbose_name="maximum concurrent calls",
                    ),
                ),
                (
                    "bulk_calls",
                    models.IntegerField(
                        default=-1,
                        help_text="-1: no limit.",
                        validators=[django.core.validators.MinValueValidator(-1)],
                        verbose_name="maximum bulk-dialler calls",
                    ),
                ),
                (
                    "callerid_in_external",
                    models.BooleanField(
                        default=True,
                        verbose_name="receive caller id from external sources",
                    ),
                ),
                (
                    "archived_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="archived"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, verbose_name="created"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, verbose_name="changed"),
                ),
                (
                    "dial_plan",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.dialplan",
                        verbose_name="dial plan",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        help_text="Whose customers it was made for.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rate_plans",
                        to="customers.customer",
                        verbose_name="owner",
                    ),
                ),
            ],
            options={
                "verbose_name": "rate plan",
                "verbose_name_plural": "rate plans",
                "ordering": ("name",),
                "constraints": [
                    models.UniqueConstraint(
                        models.F("owner"),
                        django.db.models.functions.text.Lower("name"),
                        name="rate_plan_name_once_per_owner",
                        violation_error_message="You have a rate plan of this name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("call_maximum__gte", -1),
                            ("concurrent_calls__gte", -1),
                            ("bulk_calls__gte", -1),
                        ),
                        name="rate_plan_limits_from_minus_one",
                    ),
                ],
            },
        ),
    ]
