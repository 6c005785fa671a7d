from django.db import migrations, models

import billing.parties


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0025_import_booking"),
    ]

    operations = [
        migrations.AddField(
            model_name="billingaccount",
            name="debited_iban",
            field=models.CharField(
                blank=True,
                help_text="The customer's account that you collect from.",
                max_length=34,
                validators=[billing.parties.validate_iban],
                verbose_name="debited IBAN",
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="mandate_reference",
            field=models.CharField(
                blank=True,
                help_text="Of the SEPA mandate that the customer has signed.",
                max_length=35,
                validators=[billing.parties.validate_mandate],
                verbose_name="mandate reference",
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="mandate_signed_on",
            field=models.DateField(
                blank=True,
                help_text="Your bank wants it with each collection.",
                null=True,
                verbose_name="mandate signed on",
            ),
        ),
        migrations.AddField(
            model_name="seller",
            name="creditor_id",
            field=models.CharField(
                blank=True,
                help_text="For SEPA direct debits; your central bank gives it, such as DE98ZZZ09999999999.",
                max_length=35,
                validators=[billing.parties.validate_creditor_id],
                verbose_name="creditor identifier",
            ),
        ),
    ]
