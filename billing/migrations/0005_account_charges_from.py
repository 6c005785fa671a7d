import datetime

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0004_ledger_guards"),
    ]

    operations = [
        migrations.AddField(
            model_name="billingaccount",
            name="charges_from",
            field=models.DateField(
                default=datetime.date.today,
                editable=False,
                help_text="The day the account was put on its plan.",
                verbose_name="the plan's charges are due from",
            ),
        ),
    ]
