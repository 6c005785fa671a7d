from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0007_out_of_credit_index"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="billedfeature",
            index=models.Index(
                fields=["object_id", "feature"], name="feature_by_object"
            ),
        ),
    ]
