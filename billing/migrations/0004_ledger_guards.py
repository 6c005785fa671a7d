from django.db import migrations

# Whatever writes, also by hand: entries are final, each continues the one before it, and a
# balance is what its newest entry says.
FORWARDS = """
CREATE FUNCTION billing_entry_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger entries are final: post a reversal'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER entry_is_final BEFORE UPDATE OR DELETE ON billing_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION billing_entry_is_final();
CREATE TRIGGER entry_tax_is_final BEFORE UPDATE OR DELETE ON billing_entrytax
    FOR EACH ROW EXECUTE FUNCTION billing_entry_is_final();

CREATE FUNCTION billing_entries_continue() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken bigint;
BEGIN
    SELECT account_id INTO broken FROM (
        SELECT added.account_id,
               added.balance_after
               - CASE WHEN added.is_on_balance THEN added.amount ELSE 0 END AS before,
               coalesce(
                   lag(added.balance_after) OVER same_account,
                   (SELECT entry.balance_after FROM billing_ledgerentry entry
                    WHERE entry.account_id = added.account_id AND entry.id < added.id
                    ORDER BY entry.id DESC LIMIT 1),
                   0) AS expected,
               lead(added.id) OVER same_account AS next_id,
               added.balance_after,
               account.balance
        FROM added JOIN billing_billingaccount account ON account.id = added.account_id
        WINDOW same_account AS (PARTITION BY added.account_id ORDER BY added.id)
    ) chained
    WHERE before <> expected OR (next_id IS NULL AND balance_after <> balance)
    LIMIT 1;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'entries of account % do not continue its ledger', broken
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER entries_continue AFTER INSERT ON billing_ledgerentry
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION billing_entries_continue();

CREATE FUNCTION billing_balance_is_booked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    present numeric;
    booked numeric;
BEGIN
    SELECT balance INTO present FROM billing_billingaccount WHERE id = NEW.id;
    SELECT balance_after INTO booked FROM billing_ledgerentry
        WHERE account_id = NEW.id ORDER BY id DESC LIMIT 1;
    IF present <> coalesce(booked, 0) THEN
        RAISE EXCEPTION 'the balance of account % was not booked', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER balance_is_booked
    AFTER UPDATE OF balance ON billing_billingaccount
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.balance IS DISTINCT FROM NEW.balance)
    EXECUTE FUNCTION billing_balance_is_booked();
CREATE CONSTRAINT TRIGGER first_balance_is_booked
    AFTER INSERT ON billing_billingaccount
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.balance <> 0)
    EXECUTE FUNCTION billing_balance_is_booked();
"""

BACKWARDS = """
DROP TRIGGER first_balance_is_booked ON billing_billingaccount;
DROP TRIGGER balance_is_booked ON billing_billingaccount;
DROP FUNCTION billing_balance_is_booked();
DROP TRIGGER entries_continue ON billing_ledgerentry;
DROP FUNCTION billing_entries_continue();
DROP TRIGGER entry_tax_is_final ON billing_entrytax;
DROP TRIGGER entry_is_final ON billing_ledgerentry;
DROP FUNCTION billing_entry_is_final();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_ledger")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
