import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("billing", "0001_initial"),
        ("customers", "0001_initial"),
        ("rateplans", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="billingaccount",
            name="affiliate",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="affiliated_accounts",
                to="customers.customer",
                verbose_name="affiliate",
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="customer",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="account",
                to="customers.customer",
                verbose_name="customer",
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accounts",
                to="rateplans.rateplan",
                verbose_name="rate plan",
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="provider",
            field=models.ForeignKey(
                help_text="The customer's parent: the bank of this account.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.customer",
                verbose_name="provider",
            ),
        ),
        migrations.AddField(
            model_name="tax",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="taxes",
                to="customers.customer",
                verbose_name="owner",
            ),
        ),
        migrations.AddField(
            model_name="taxliability",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="liabilities",
                to="billing.billingaccount",
            ),
        ),
        migrations.AddField(
            model_name="taxliability",
            name="tax",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="liabilities",
                to="billing.tax",
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="taxes",
            field=models.ManyToManyField(
                through="billing.TaxLiability",
                to="billing.tax",
                verbose_name="taxes liable",
            ),
        ),
        migrations.AddConstraint(
            model_name="tax",
            constraint=models.UniqueConstraint(
                models.F("owner"),
                django.db.models.functions.text.Lower("name"),
                name="tax_name_once_per_owner",
                violation_error_message="You have a tax of this name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="tax",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("rate__gte", 0), ("rate__lte", 100), ("amount__gte", 0)
                ),
                name="tax_is_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="taxliability",
            constraint=models.UniqueConstraint(
                fields=("account", "tax"), name="liability_once"
            ),
        ),
        migrations.AddIndex(
            model_name="billingaccount",
            index=models.Index(
                fields=["provider", "balance", "customer"], name="account_by_balance"
            ),
        ),
        migrations.AddIndex(
            model_name="billingaccount",
            index=models.Index(
                fields=["provider", "credit_limit", "customer"],
                name="account_by_credit",
            ),
        ),
        migrations.AddIndex(
            model_name="billingaccount",
            index=models.Index(fields=["provider", "plan"], name="account_by_plan"),
        ),
        migrations.AddConstraint(
            model_name="billingaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("credit_limit__gte", 0),
                    ("low_balance__gte", 0),
                    ("auto_topup__gte", 0),
                ),
                name="account_amounts_not_negative",
                violation_error_message="Enter an amount of 0.00 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("call_maximum", None), ("call_maximum__gte", -1), _connector="OR"
                ),
                name="account_call_maximum_from_minus_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("affiliate", None),
                        ("affiliate_percentage", 0),
                        ("affiliate_type", ""),
                    ),
                    models.Q(
                        ("affiliate__isnull", False),
                        ("affiliate_percentage__range", (0, 100)),
                        models.Q(("affiliate_type", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="account_affiliate_is_whole",
                violation_error_message="Choose what the affiliate is paid by, or remove the affiliate.",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("affiliate", None),
                    models.Q(("affiliate", models.F("customer")), _negated=True),
                    _connector="OR",
                ),
                name="account_is_not_its_own_affiliate",
                violation_error_message="A customer cannot be its own affiliate.",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("provider", models.F("customer")), _negated=True),
                name="account_is_not_its_own_provider",
            ),
        ),
    ]
