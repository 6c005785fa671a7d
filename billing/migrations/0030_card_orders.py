import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# What was decided so far: what was taken stands in the payments; of refused orders it was
# only counted how many there were.
FORWARDS = """
INSERT INTO billing_cardorder
    (invoice_id, attempt, key, amount, currency, asked_at, outcome, reference, reason)
SELECT invoice.id, attempt, wanted.key, payment.amount, payment.currency,
    payment.created_at, 'paid', payment.reference, ''
FROM billing_invoice invoice
CROSS JOIN generate_series(1, invoice.card_orders) attempt
CROSS JOIN LATERAL (
    SELECT 'invoice:' || invoice.id || CASE WHEN attempt > 1 THEN ':' || attempt ELSE '' END
        AS key
) wanted
JOIN billing_payment payment
    ON payment.account_id = invoice.account_id AND payment.key = 'gateway:' || wanted.key;

INSERT INTO billing_cardorder
    (invoice_id, attempt, key, amount, currency, asked_at, outcome, reference, reason)
SELECT id, attempt,
    'invoice:' || id || CASE WHEN attempt > 1 THEN ':' || attempt ELSE '' END,
    payable, currency, issued_at, 'refused', '', ''
FROM billing_invoice CROSS JOIN generate_series(1, card_refusals) attempt
WHERE payable > 0
ON CONFLICT DO NOTHING;

SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0029_write_offs_and_more_time"),
    ]

    operations = [
        migrations.CreateModel(
            name="CardOrder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("attempt", models.PositiveSmallIntegerField(verbose_name="attempt")),
                (
                    "key",
                    models.CharField(max_length=60, unique=True, verbose_name="key"),
                ),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=6,
                        default=None,
                        max_digits=20,
                        verbose_name="amount",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "asked_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="last asked"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("pending", "Not known yet"),
                            ("paid", "Paid"),
                            ("refused", "Refused"),
                        ],
                        default="pending",
                        max_length=7,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        blank=True, max_length=140, verbose_name="reference"
                    ),
                ),
                (
                    "reason",
                    models.CharField(blank=True, max_length=200, verbose_name="reason"),
                ),
            ],
            options={
                "verbose_name": "charge of a card",
                "verbose_name_plural": "charges of cards",
                "ordering": ("pk",),
            },
        ),
        migrations.AddField(
            model_name="cardorder",
            name="invoice",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="card_charges",
                to="billing.invoice",
                verbose_name="invoice",
            ),
        ),
        migrations.AddIndex(
            model_name="cardorder",
            index=models.Index(
                condition=models.Q(("outcome", "pending")),
                fields=["asked_at"],
                name="card_order_undecided",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardorder",
            constraint=models.UniqueConstraint(
                fields=("invoice", "attempt"), name="card_attempt_once_per_invoice"
            ),
        ),
        migrations.AddConstraint(
            model_name="cardorder",
            constraint=models.UniqueConstraint(
                condition=models.Q(("outcome", "pending")),
                fields=("invoice",),
                name="card_order_undecided_once_per_invoice",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardorder",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="card_order_is_above_zero"
            ),
        ),
        migrations.RunSQL(FORWARDS, migrations.RunSQL.noop),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_card_is_refused_once_an_order",
        ),
        migrations.RemoveField(
            model_name="invoice",
            name="card_refusals",
        ),
    ]
