import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0010_charge_below"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExtraCalls",
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
                    "type",
                    models.CharField(
                        choices=[
                            ("calls_in", "Inbound calls at once"),
                            ("calls_out", "Outbound calls at once"),
                            ("calls_in_out", "Inbound or outbound calls at once"),
                            (
                                "calls_total",
                                "Calls at once of any kind, with customers below",
                            ),
                            (
                                "calls_in_total",
                                "Inbound calls at once, with customers below",
                            ),
                            (
                                "calls_out_total",
                                "Outbound calls at once, with customers below",
                            ),
                            (
                                "calls_in_out_total",
                                "Inbound or outbound calls at once, with customers below",
                            ),
                        ],
                        max_length=20,
                        verbose_name="type",
                    ),
                ),
                ("calls", models.PositiveIntegerField(verbose_name="number of calls")),
            ],
            options={
                "verbose_name": "bought calls at once",
                "verbose_name_plural": "bought calls at once",
                "ordering": ("pk",),
            },
        ),
        migrations.AlterField(
            model_name="product",
            name="type",
            field=models.CharField(
                choices=[
                    ("product", "Goods or a service"),
                    ("call_time", "Call time"),
                    ("calls_in", "Inbound calls at once"),
                    ("calls_out", "Outbound calls at once"),
                    ("calls_in_out", "Inbound or outbound calls at once"),
                    ("calls_total", "Calls at once of any kind, with customers below"),
                    ("calls_in_total", "Inbound calls at once, with customers below"),
                    ("calls_out_total", "Outbound calls at once, with customers below"),
                    (
                        "calls_in_out_total",
                        "Inbound or outbound calls at once, with customers below",
                    ),
                ],
                default="product",
                max_length=20,
                verbose_name="type",
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "type__in",
                            (
                                "calls_in",
                                "calls_out",
                                "calls_in_out",
                                "calls_total",
                                "calls_in_total",
                                "calls_out_total",
                                "calls_in_out_total",
                            ),
                        ),
                        _negated=True,
                    ),
                    ("amount__gt", 0),
                    _connector="OR",
                ),
                name="product_gives_some_calls",
                violation_error_message="Enter how many calls at once it gives.",
            ),
        ),
        migrations.AddField(
            model_name="extracalls",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="extra_calls",
                to="billing.billingaccount",
                verbose_name="billing account",
            ),
        ),
        migrations.AddField(
            model_name="extracalls",
            name="charge",
            field=models.OneToOneField(
                blank=True,
                help_text="What pays for them again and again.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="extra_calls",
                to="billing.charge",
                verbose_name="charge",
            ),
        ),
        migrations.AddField(
            model_name="extracalls",
            name="entry",
            field=models.OneToOneField(
                blank=True,
                help_text="Empty if nothing was paid on the day of purchase.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.ledgerentry",
                verbose_name="ledger entry",
            ),
        ),
        migrations.AddConstraint(
            model_name="extracalls",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("calls__gt", 0),
                    (
                        "type__in",
                        (
                            "calls_in",
                            "calls_out",
                            "calls_in_out",
                            "calls_total",
                            "calls_in_total",
                            "calls_out_total",
                            "calls_in_out_total",
                        ),
                    ),
                ),
                name="extra_calls_are_some",
            ),
        ),
    ]
