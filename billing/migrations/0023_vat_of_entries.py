from django.db import migrations, models

# Entries are final: the trigger that says so looks away while old ones learn what their
# taxes say today. The column itself costs nothing, and only rows of levies are written.
FORWARDS = """
ALTER TABLE billing_entrytax DISABLE TRIGGER entry_tax_is_final;
UPDATE billing_entrytax part SET is_vat = false
    FROM billing_tax tax WHERE tax.id = part.tax_id AND NOT tax.is_vat;
ALTER TABLE billing_entrytax ENABLE TRIGGER entry_tax_is_final;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0022_covered_invoice_indexes")]

    operations = [
        migrations.AddField(
            model_name="entrytax",
            name="is_vat",
            field=models.BooleanField(default=True, verbose_name="is VAT"),
            preserve_default=False,
        ),
        migrations.RunSQL(FORWARDS, migrations.RunSQL.noop),
    ]
