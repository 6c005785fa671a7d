from django.db import migrations

# Whatever writes, also by hand: a payment and a settlement stay as they are, but that each
# may be undone once; and at the end of every transaction an invoice is settled by exactly
# what its settlements say, of payments and credit notes that reach for them.
FORWARDS = """
CREATE FUNCTION billing_payment_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    open text[] := CASE TG_TABLE_NAME WHEN 'billing_payment'
        THEN ARRAY['reversed_at', 'reversed_by_name', 'reversal_reason']
        ELSE ARRAY['undone_at'] END;
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - open = to_jsonb(NEW) - open
       AND to_jsonb(OLD) -> open[1] = 'null'::jsonb THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'payments are final: reverse them'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER payment_is_final BEFORE UPDATE OR DELETE ON billing_payment
    FOR EACH ROW EXECUTE FUNCTION billing_payment_is_final();
CREATE TRIGGER settlement_is_final BEFORE UPDATE OR DELETE ON billing_settlement
    FOR EACH ROW EXECUTE FUNCTION billing_payment_is_final();

CREATE FUNCTION billing_settled_is_proven() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    one bigint := CASE TG_TABLE_NAME WHEN 'billing_invoice'
        THEN to_jsonb(NEW) ->> 'id' ELSE to_jsonb(NEW) ->> 'invoice_id' END;
    paid bigint := to_jsonb(NEW) ->> 'payment_id';
    note bigint := to_jsonb(NEW) ->> 'credit_note_id';
BEGIN
    IF EXISTS (
        SELECT 1 FROM billing_invoice invoice WHERE invoice.id = one
        AND invoice.settled <> (
            SELECT coalesce(sum(part.amount), 0) FROM billing_settlement part
            WHERE part.invoice_id = invoice.id AND part.undone_at IS NULL)
    ) THEN
        RAISE EXCEPTION 'invoice % is not settled by what its settlements say', one
            USING ERRCODE = 'check_violation', CONSTRAINT = 'settled_is_proven';
    END IF;
    IF EXISTS (
        SELECT 1 FROM billing_payment payment WHERE payment.id = paid
        AND (CASE WHEN payment.reversed_at IS NULL THEN payment.amount ELSE 0 END) < (
            SELECT coalesce(sum(part.amount), 0) FROM billing_settlement part
            WHERE part.payment_id = payment.id AND part.undone_at IS NULL)
    ) THEN
        RAISE EXCEPTION 'payment % settles more than it is', paid
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_reaches';
    END IF;
    IF EXISTS (
        SELECT 1 FROM billing_invoice source WHERE source.id = note
        AND (source.type <> 'credit_note' OR source.total < (
            SELECT coalesce(sum(part.amount), 0) FROM billing_settlement part
            WHERE part.credit_note_id = source.id AND part.undone_at IS NULL))
    ) THEN
        RAISE EXCEPTION 'credit note % settles more than it is', note
            USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_note_reaches';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER settled_is_proven
    AFTER INSERT OR UPDATE ON billing_settlement DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing_settled_is_proven();
CREATE CONSTRAINT TRIGGER settled_is_proven
    AFTER INSERT OR UPDATE OF settled ON billing_invoice DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing_settled_is_proven();
"""

BACKWARDS = """
DROP TRIGGER settled_is_proven ON billing_invoice;
DROP TRIGGER settled_is_proven ON billing_settlement;
DROP FUNCTION billing_settled_is_proven();
DROP TRIGGER settlement_is_final ON billing_settlement;
DROP TRIGGER payment_is_final ON billing_payment;
DROP FUNCTION billing_payment_is_final();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0016_payments")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
