from django.db import migrations, models

# Whatever writes: all credit notes of an invoice together are at most that. The invoice is
# held, so that two of them at once see each other.
FORWARDS = """
CREATE FUNCTION billing_credit_is_within() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    most numeric;
BEGIN
    SELECT total INTO most FROM billing_invoice WHERE id = NEW.corrects_id
        FOR NO KEY UPDATE;
    IF most < (
        SELECT sum(note.total) FROM billing_invoice note
        WHERE note.corrects_id = NEW.corrects_id AND note.number <> ''
    ) THEN
        RAISE EXCEPTION 'invoice % is credited by more than it is', NEW.corrects_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_is_within';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER credit_is_within AFTER INSERT OR UPDATE OF number ON billing_invoice
    FOR EACH ROW WHEN (NEW.corrects_id IS NOT NULL AND NEW.number <> '')
    EXECUTE FUNCTION billing_credit_is_within();
"""

BACKWARDS = """
DROP TRIGGER credit_is_within ON billing_invoice;
DROP FUNCTION billing_credit_is_within();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0028_plainer_words")]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="overdue_from",
            field=models.DateField(
                blank=True,
                help_text=(
                    "In place of the day above, where somebody gave more time, or less."
                ),
                null=True,
                verbose_name="overdue from",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="card_orders",
            field=models.PositiveSmallIntegerField(
                default=1, verbose_name="orders to charge the card"
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="card_refusals",
            field=models.PositiveSmallIntegerField(
                default=0, verbose_name="of them refused"
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(card_refusals__lte=models.F("card_orders")),
                name="invoice_card_is_refused_once_an_order",
            ),
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("signup", "Sign-up fee"),
                    ("recurring", "Recurring fee"),
                    ("charge", "Charge"),
                    ("product", "Product"),
                    ("call", "Calls"),
                    ("refund", "Refund"),
                    ("credit", "Credit"),
                    ("debit", "Debit"),
                    ("correction", "Correction"),
                    ("reversal", "Reversal"),
                    ("topup", "Top-up"),
                    ("payment", "Payment"),
                    ("invoice", "Moved to an invoice"),
                    ("affiliate", "Affiliate fee"),
                    ("rounding", "Rounding"),
                    ("opening", "Opening balance"),
                    ("write_off", "Write-off"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="method",
            field=models.CharField(
                choices=[
                    ("transfer", "Bank transfer"),
                    ("card", "Card"),
                    ("direct_debit", "Direct debit"),
                    ("cash", "Cash"),
                    ("other", "Other"),
                    ("write_off", "Write-off"),
                ],
                max_length=13,
                verbose_name="method",
            ),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
