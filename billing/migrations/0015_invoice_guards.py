from django.db import migrations

# Whatever writes, also by hand: a numbered document stays as it is, with its files and its
# logo, and an entry is put on one invoice once and for all.
FORWARDS = """
CREATE OR REPLACE FUNCTION billing_entry_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'billing_ledgerentry' THEN
        IF OLD.invoice_id IS NULL
           AND to_jsonb(OLD) - 'invoice_id' = to_jsonb(NEW) - 'invoice_id' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'ledger entries are final: post a reversal'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION billing_invoice_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.number = '' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'UPDATE' AND (
        OLD.account_id, OLD.issuer_id, OLD.key, OLD.type, OLD.occasion, OLD.number,
        OLD.customer_number, OLD.currency, OLD.net, OLD.total, OLD.payable,
        OLD.period_start, OLD.period_end, OLD.detail, OLD.format, OLD.issued_on,
        OLD.due_on, OLD.overdue_on, OLD.content, OLD.corrects_id, OLD.replaces_id,
        OLD.issued_at, OLD.created_at
    ) IS NOT DISTINCT FROM (
        NEW.account_id, NEW.issuer_id, NEW.key, NEW.type, NEW.occasion, NEW.number,
        NEW.customer_number, NEW.currency, NEW.net, NEW.total, NEW.payable,
        NEW.period_start, NEW.period_end, NEW.detail, NEW.format, NEW.issued_on,
        NEW.due_on, NEW.overdue_on, NEW.content, NEW.corrects_id, NEW.replaces_id,
        NEW.issued_at, NEW.created_at
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'invoices are final: correct them by a credit note'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER invoice_is_final BEFORE UPDATE OR DELETE ON billing_invoice
    FOR EACH ROW EXECUTE FUNCTION billing_invoice_is_final();

CREATE FUNCTION billing_document_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'documents are final' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER file_is_final BEFORE UPDATE OR DELETE ON billing_invoicefile
    FOR EACH ROW EXECUTE FUNCTION billing_document_is_final();
CREATE TRIGGER logo_is_final BEFORE UPDATE OR DELETE ON billing_invoicelogo
    FOR EACH ROW EXECUTE FUNCTION billing_document_is_final();
"""

BACKWARDS = """
DROP TRIGGER logo_is_final ON billing_invoicelogo;
DROP TRIGGER file_is_final ON billing_invoicefile;
DROP FUNCTION billing_document_is_final();
DROP TRIGGER invoice_is_final ON billing_invoice;
DROP FUNCTION billing_invoice_is_final();
CREATE OR REPLACE FUNCTION billing_entry_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger entries are final: post a reversal'
        USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0014_invoices")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
