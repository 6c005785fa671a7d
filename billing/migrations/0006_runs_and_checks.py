import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0005_account_charges_from"),
    ]

    operations = [
        migrations.CreateModel(
            name="LedgerCheck",
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
                    "accounts",
                    models.PositiveBigIntegerField(default=0, verbose_name="accounts"),
                ),
                (
                    "entries",
                    models.PositiveBigIntegerField(default=0, verbose_name="entries"),
                ),
                (
                    "faults",
                    models.PositiveIntegerField(default=0, verbose_name="faults"),
                ),
                (
                    "started_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="started"
                    ),
                ),
                (
                    "finished_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="finished"
                    ),
                ),
            ],
            options={
                "verbose_name": "check of the ledger",
                "verbose_name_plural": "checks of the ledger",
                "ordering": ("-pk",),
            },
        ),
        migrations.CreateModel(
            name="LedgerFault",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("balance", "The balance is not the sum of its entries"),
                            ("chain", "An entry does not continue the one before it"),
                            (
                                "taxes",
                                "The taxes of an entry are not its amount without the net",
                            ),
                        ],
                        max_length=10,
                        verbose_name="fault",
                    ),
                ),
                (
                    "entry_id",
                    models.BigIntegerField(
                        blank=True, null=True, verbose_name="ledger entry"
                    ),
                ),
                (
                    "expected",
                    models.DecimalField(
                        decimal_places=6, max_digits=20, verbose_name="expected"
                    ),
                ),
                (
                    "present",
                    models.DecimalField(
                        decimal_places=6, max_digits=20, verbose_name="present"
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="billing.billingaccount",
                        verbose_name="billing account",
                    ),
                ),
                (
                    "ledger_check",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="found",
                        to="billing.ledgercheck",
                        verbose_name="check of the ledger",
                    ),
                ),
            ],
            options={
                "verbose_name": "fault of the ledger",
                "verbose_name_plural": "faults of the ledger",
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="PeriodRun",
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
                    "on",
                    models.DateField(
                        blank=True,
                        help_text="Empty: the day it is where each account is.",
                        null=True,
                        verbose_name="day",
                    ),
                ),
                (
                    "total",
                    models.PositiveIntegerField(default=0, verbose_name="accounts"),
                ),
                ("done", models.PositiveIntegerField(default=0, verbose_name="done")),
                (
                    "failed",
                    models.PositiveIntegerField(default=0, verbose_name="failed"),
                ),
                (
                    "started_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="started"
                    ),
                ),
                (
                    "finished_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="finished"
                    ),
                ),
            ],
            options={
                "verbose_name": "billing run",
                "verbose_name_plural": "billing runs",
                "ordering": ("-pk",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at", None)),
                        fields=("on",),
                        name="one_open_run_per_day",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RunFailure",
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
                ("error", models.CharField(max_length=500, verbose_name="error")),
                (
                    "at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="time"
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="billing.billingaccount",
                        verbose_name="billing account",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="failures",
                        to="billing.periodrun",
                        verbose_name="billing run",
                    ),
                ),
            ],
            options={
                "verbose_name": "failure of a billing run",
                "verbose_name_plural": "failures of billing runs",
                "ordering": ("pk",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "account"), name="failure_once_per_run"
                    )
                ],
            },
        ),
    ]
