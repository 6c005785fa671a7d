from django.db import migrations, models


# ``content=None`` asked for the JSON null: NULL of every row, so that the check passed.
class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0030_card_orders"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_is_pending_or_issued",
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("content__isnull", True),
                        ("customer_number", None),
                        ("issued_at", None),
                        ("issued_on", None),
                        ("number", ""),
                        ("status", "pending"),
                    ),
                    models.Q(
                        models.Q(("status", "pending"), _negated=True),
                        models.Q(("number", ""), _negated=True),
                        ("content__isnull", False),
                        ("customer_number__isnull", False),
                        ("issued_at__isnull", False),
                        ("issued_on__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="invoice_is_pending_or_issued",
            ),
        ),
    ]
