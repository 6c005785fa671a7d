import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0009_entries_of_a_period"),
    ]

    operations = [
        migrations.AddField(
            model_name="charge",
            name="below",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                help_text="What the level below pays for the same purchase.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="above",
                to="billing.charge",
                verbose_name="charge below",
            ),
        ),
    ]
