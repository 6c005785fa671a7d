from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0031_held_back_says_nothing"),
    ]

    operations = [
        migrations.AlterField(
            model_name="cardorder",
            name="key",
            field=models.CharField(max_length=60, verbose_name="key"),
        ),
        migrations.AddConstraint(
            model_name="cardorder",
            constraint=models.UniqueConstraint(fields=("key",), name="card_order_key"),
        ),
    ]
