from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0008_feature_by_object"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(
                condition=models.Q(("kind__in", ["recurring", "refund"])),
                fields=["account", "period_end", "feature"],
                name="entry_of_period",
            ),
        ),
    ]
