import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0004_exclusions"),
    ]

    operations = [
        migrations.AddField(
            model_name="outgoingemail",
            name="copy_to",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.EmailField(max_length=254),
                blank=True,
                default=list,
                size=None,
                verbose_name="copy to",
            ),
        ),
    ]
