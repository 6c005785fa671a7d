import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0024_drawing_and_sending"),
        ("customers", "0005_time_groups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="paymentimport",
            name="booked_as",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="booked as",
            ),
        ),
        migrations.AddField(
            model_name="paymentimport",
            name="booked_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="booked by",
            ),
        ),
        migrations.AddField(
            model_name="paymentimport",
            name="booking_since",
            field=models.DateTimeField(
                blank=True,
                help_text="Empty: nobody has begun, or it was stopped, or all is booked.",
                null=True,
                verbose_name="booking since",
            ),
        ),
        migrations.AddField(
            model_name="paymentimport",
            name="to_book",
            field=models.PositiveIntegerField(
                default=0,
                help_text="How many were sure when booking began.",
                verbose_name="lines to book",
            ),
        ),
        migrations.AddField(
            model_name="paymentimport",
            name="worked_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="last worked on"
            ),
        ),
        migrations.AddIndex(
            model_name="paymentimport",
            index=models.Index(
                condition=models.Q(("booking_since__isnull", False)),
                fields=["booking_since"],
                name="import_booking",
            ),
        ),
    ]
