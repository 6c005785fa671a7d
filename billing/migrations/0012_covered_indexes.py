import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0011_calls_at_once"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="billedfeature",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="billed_features",
                to="customers.customer",
                verbose_name="customer",
            ),
        ),
        migrations.AlterField(
            model_name="billingaccount",
            name="provider",
            field=models.ForeignKey(
                db_index=False,
                help_text="The customer's parent: the bank of this account.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.customer",
                verbose_name="provider",
            ),
        ),
        migrations.AlterField(
            model_name="entrytax",
            name="entry",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="taxes",
                to="billing.ledgerentry",
                verbose_name="ledger entry",
            ),
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="account",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="entries",
                to="billing.billingaccount",
                verbose_name="billing account",
            ),
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="person",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AlterField(
            model_name="product",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="products",
                to="customers.customer",
                verbose_name="owner",
            ),
        ),
        migrations.AlterField(
            model_name="productexception",
            name="plan",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="product_exceptions",
                to="rateplans.rateplan",
                verbose_name="rate plan",
            ),
        ),
        migrations.AlterField(
            model_name="runfailure",
            name="run",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="failures",
                to="billing.periodrun",
                verbose_name="billing run",
            ),
        ),
        migrations.AlterField(
            model_name="tax",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="taxes",
                to="customers.customer",
                verbose_name="owner",
            ),
        ),
        migrations.AlterField(
            model_name="taxliability",
            name="account",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="liabilities",
                to="billing.billingaccount",
            ),
        ),
    ]
