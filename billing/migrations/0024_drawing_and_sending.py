import django.utils.timezone
from django.db import migrations, models

# Whatever customers see by now was sent when it was issued, as far as is known. Nothing in
# the documents changes, so the trigger need not compare their contents row by row.
SENT = """
ALTER TABLE billing_invoice DISABLE TRIGGER invoice_is_final;
UPDATE billing_invoice SET sent_at = issued_at
    WHERE number <> '' AND status NOT IN ('queued', 'approved');
ALTER TABLE billing_invoice ENABLE TRIGGER invoice_is_final;
"""
UNSETTLED = ["pending", "queued", "approved", "due", "overdue", "payment_refused"]


class Migration(migrations.Migration):
    dependencies = [("billing", "0023_vat_of_entries")]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="sent_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Since when its customer may see it.",
                null=True,
                verbose_name="sent",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="draw_due_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, verbose_name="to be drawn"
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="draw_attempts",
            field=models.PositiveSmallIntegerField(
                default=0, verbose_name="attempts to draw it"
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="draw_error",
            field=models.CharField(
                blank=True, max_length=500, verbose_name="why it could not be drawn"
            ),
        ),
        migrations.RunSQL(SENT, migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="invoice", name="invoice_due"),
        migrations.RemoveIndex(model_name="invoice", name="invoice_not_drawn"),
        migrations.RemoveIndex(model_name="invoice", name="invoice_not_mailed"),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(("status__in", UNSETTLED)),
                fields=["status", "due_on"],
                name="invoice_unsettled",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(("drawn_at", None), ("issued_at__isnull", False)),
                fields=["draw_due_at"],
                name="invoice_not_drawn",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(
                    ("is_sent_to_customer", True),
                    ("mailed_at", None),
                    ("sent_at__isnull", False),
                ),
                fields=["sent_at"],
                name="invoice_not_mailed",
            ),
        ),
    ]
