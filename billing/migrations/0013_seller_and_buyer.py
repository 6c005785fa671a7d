"""What invoices say about who sells and who buys; which taxes are VAT."""

import django.db.models.deletion
from django.db import migrations, models

import billing.parties
import portal.core.money
import portal.core.validators


def tell_levies_apart(apps, schema_editor):
    """VAT is a percentage of the price: what has a flat amount is another levy."""
    taxes = apps.get_model("billing", "Tax").objects
    taxes.filter(amount__gt=0).update(is_vat=False)


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0012_covered_indexes"),
        ("customers", "0004_role_transaction_maximum"),
    ]

    operations = [
        migrations.CreateModel(
            name="Seller",
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
                (
                    "legal_name",
                    models.CharField(
                        blank=True,
                        help_text="As registered. Leave empty if it is the account's name.",
                        max_length=120,
                        validators=[portal.core.validators.validate_name],
                        verbose_name="legal name",
                    ),
                ),
                (
                    "trading_name",
                    models.CharField(
                        blank=True,
                        help_text="If your customers know you by another name.",
                        max_length=120,
                        validators=[portal.core.validators.validate_name],
                        verbose_name="trading name",
                    ),
                ),
                (
                    "register_number",
                    models.CharField(
                        blank=True,
                        help_text="Of the company register, such as HRB 123456.",
                        max_length=60,
                        validators=[portal.core.validators.validate_visible],
                        verbose_name="register number",
                    ),
                ),
                (
                    "legal_form",
                    models.CharField(
                        blank=True,
                        help_text="What the law wants on letters: form, court, directors, share capital.",
                        max_length=300,
                        validators=[portal.core.validators.validate_visible],
                        verbose_name="legal form and register",
                    ),
                ),
                (
                    "vat_id",
                    models.CharField(
                        blank=True,
                        help_text="With the country's letters in front, such as DE123456788.",
                        max_length=20,
                        validators=[billing.parties.validate_vat_id],
                        verbose_name="VAT id",
                    ),
                ),
                (
                    "tax_number",
                    models.CharField(
                        blank=True,
                        help_text="Of your tax office; needed if you have no VAT id.",
                        max_length=40,
                        validators=[portal.core.validators.validate_visible],
                        verbose_name="tax number",
                    ),
                ),
                (
                    "endpoint_scheme",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("0088", "GLN (GS1 location number)"),
                            ("0060", "D-U-N-S number"),
                            ("0199", "LEI (legal entity identifier)"),
                            ("EM", "E-mail address (not reached by Peppol)"),
                            ("0151", "Australia: business number (ABN)"),
                            ("9914", "Austria: VAT id"),
                            ("0208", "Belgium: enterprise number"),
                            ("9925", "Belgium: VAT id"),
                            ("9934", "Croatia: VAT id"),
                            ("9929", "Czechia: VAT id"),
                            ("0184", "Denmark: CVR number"),
                            ("0191", "Estonia: company code"),
                            ("9931", "Estonia: VAT id"),
                            ("0216", "Finland: OVT code"),
                            ("0213", "Finland: VAT id"),
                            ("0002", "France: SIREN number"),
                            ("0009", "France: SIRET number"),
                            ("0225", "France: address of the invoicing platforms"),
                            ("9957", "France: VAT id"),
                            ("0204", "Germany: Leitweg-ID of an authority"),
                            ("9930", "Germany: VAT id"),
                            ("9932", "Great Britain: VAT id"),
                            ("9933", "Greece: VAT id"),
                            ("9910", "Hungary: VAT id"),
                            ("0196", "Iceland: kennitala"),
                            ("9935", "Ireland: VAT id"),
                            ("0201", "Italy: code of a public office (IPA)"),
                            ("0210", "Italy: codice fiscale"),
                            ("0211", "Italy: VAT id"),
                            ("0188", "Japan: corporate number"),
                            ("0221", "Japan: registered invoice issuer"),
                            ("0218", "Latvia: registration number"),
                            ("9939", "Latvia: VAT id"),
                            ("9936", "Liechtenstein: VAT id"),
                            ("0200", "Lithuania: company code"),
                            ("9937", "Lithuania: VAT id"),
                            ("9938", "Luxembourg: VAT id"),
                            ("0106", "Netherlands: Chamber of Commerce number (KvK)"),
                            ("0190", "Netherlands: number of an authority (OIN)"),
                            ("9944", "Netherlands: VAT id"),
                            ("0192", "Norway: organisation number"),
                            ("9945", "Poland: VAT id"),
                            ("9946", "Portugal: VAT id"),
                            ("9947", "Romania: VAT id"),
                            ("0195", "Singapore: UEN"),
                            ("9950", "Slovakia: VAT id"),
                            ("9949", "Slovenia: VAT id"),
                            ("9920", "Spain: VAT id"),
                            ("0007", "Sweden: organisation number"),
                            ("0183", "Switzerland: UID"),
                            ("9927", "Switzerland: VAT id"),
                            ("9959", "United States: employer number (EIN)"),
                        ],
                        help_text="Whose numbers your address in the Peppol network is of.",
                        max_length=4,
                        verbose_name="kind of electronic address",
                    ),
                ),
                (
                    "endpoint_id",
                    models.CharField(
                        blank=True,
                        help_text="The number itself; your Peppol provider knows it.",
                        max_length=135,
                        verbose_name="electronic address",
                    ),
                ),
                (
                    "contact_name",
                    models.CharField(
                        blank=True,
                        help_text="A person or a department who answers questions about invoices.",
                        max_length=100,
                        validators=[portal.core.validators.validate_name],
                        verbose_name="contact",
                    ),
                ),
                (
                    "contact_telephone",
                    models.CharField(
                        blank=True,
                        max_length=40,
                        validators=[portal.core.validators.validate_visible],
                        verbose_name="contact's telephone",
                    ),
                ),
                (
                    "contact_email",
                    models.EmailField(
                        blank=True, max_length=254, verbose_name="contact's e-mail"
                    ),
                ),
                (
                    "account_holder",
                    models.CharField(
                        blank=True,
                        help_text="Leave empty if it is the legal name.",
                        max_length=70,
                        validators=[portal.core.validators.validate_name],
                        verbose_name="account holder",
                    ),
                ),
                (
                    "iban",
                    models.CharField(
                        blank=True,
                        help_text="Where customers transfer to. Spaces are welcome.",
                        max_length=34,
                        validators=[billing.parties.validate_iban],
                        verbose_name="IBAN",
                    ),
                ),
                (
                    "bic",
                    models.CharField(
                        blank=True,
                        help_text="Needed for transfers from outside the euro area.",
                        max_length=11,
                        validators=[billing.parties.validate_bic],
                        verbose_name="BIC",
                    ),
                ),
                (
                    "bank_name",
                    models.CharField(
                        blank=True,
                        max_length=80,
                        validators=[portal.core.validators.validate_visible],
                        verbose_name="bank name",
                    ),
                ),
                (
                    "bank_code",
                    models.CharField(
                        blank=True,
                        help_text="Routing number or sort code, where there is no IBAN.",
                        max_length=20,
                        validators=[portal.core.validators.validate_visible],
                        verbose_name="bank code",
                    ),
                ),
                (
                    "account_number",
                    models.CharField(
                        blank=True,
                        help_text="Only where there is no IBAN, as in the United States.",
                        max_length=34,
                        validators=[portal.core.validators.validate_visible],
                        verbose_name="account number",
                    ),
                ),
                (
                    "payment_terms",
                    models.CharField(
                        blank=True,
                        help_text="Printed beside the due date, such as “without deduction”.",
                        max_length=300,
                        validators=[portal.core.validators.validate_visible],
                        verbose_name="payment terms",
                    ),
                ),
                (
                    "tax_rounding",
                    models.CharField(
                        choices=[
                            ("per_total", "Once per tax, on the sum of the invoice"),
                            ("per_line", "On each line, then added up"),
                        ],
                        default="per_total",
                        help_text="Once per tax is what electronic invoices want. Added up line by line, an invoice can differ from that by some cents, which are then shown apart.",
                        max_length=9,
                        verbose_name="rounding of taxes",
                    ),
                ),
                (
                    "untaxed_category",
                    models.CharField(
                        choices=[
                            ("Z", "Zero-rated: VAT of 0 %"),
                            ("E", "Exempt from VAT"),
                            ("O", "Nothing we sell is subject to VAT"),
                        ],
                        default="Z",
                        help_text="Said of lines for which a customer who is taxed as usual owes no VAT. The last choice is for sellers outside the world of VAT, as in the United States: other taxes then stand as surcharges.",
                        max_length=1,
                        verbose_name="what bears no VAT is",
                    ),
                ),
                (
                    "untaxed_reason",
                    models.CharField(
                        blank=True,
                        help_text="The law, such as “§ 19 UStG”; needed if it is exempt.",
                        max_length=200,
                        validators=[portal.core.validators.validate_visible],
                        verbose_name="reason of the exemption",
                    ),
                ),
                (
                    "books_currency",
                    models.CharField(
                        blank=True,
                        help_text="Invoices in other currencies state their VAT in this one as well.",
                        max_length=3,
                        validators=[portal.core.money.validate_currency],
                        verbose_name="currency of the tax office",
                    ),
                ),
                (
                    "reviews_invoices",
                    models.BooleanField(
                        default=False,
                        help_text="Invoices wait for somebody's approval before they are mailed.",
                        verbose_name="review invoices first",
                    ),
                ),
                (
                    "copy_invoices",
                    models.BooleanField(
                        default=False,
                        help_text="Each mail with an invoice goes to your billing e-mail as well.",
                        verbose_name="copy of each invoice",
                    ),
                ),
            ],
            options={
                "verbose_name": "seller",
                "verbose_name_plural": "sellers",
            },
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="buyer_reference",
            field=models.CharField(
                blank=True,
                help_text="What the customer wants to read on invoices: a cost centre or person; of German authorities the Leitweg-ID.",
                max_length=100,
                validators=[portal.core.validators.validate_visible],
                verbose_name="customer's reference",
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="endpoint_id",
            field=models.CharField(
                blank=True,
                help_text="The number itself; the customer knows it.",
                max_length=135,
                verbose_name="electronic address",
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="endpoint_scheme",
            field=models.CharField(
                blank=True,
                choices=[
                    ("0088", "GLN (GS1 location number)"),
                    ("0060", "D-U-N-S number"),
                    ("0199", "LEI (legal entity identifier)"),
                    ("EM", "E-mail address (not reached by Peppol)"),
                    ("0151", "Australia: business number (ABN)"),
                    ("9914", "Austria: VAT id"),
                    ("0208", "Belgium: enterprise number"),
                    ("9925", "Belgium: VAT id"),
                    ("9934", "Croatia: VAT id"),
                    ("9929", "Czechia: VAT id"),
                    ("0184", "Denmark: CVR number"),
                    ("0191", "Estonia: company code"),
                    ("9931", "Estonia: VAT id"),
                    ("0216", "Finland: OVT code"),
                    ("0213", "Finland: VAT id"),
                    ("0002", "France: SIREN number"),
                    ("0009", "France: SIRET number"),
                    ("0225", "France: address of the invoicing platforms"),
                    ("9957", "France: VAT id"),
                    ("0204", "Germany: Leitweg-ID of an authority"),
                    ("9930", "Germany: VAT id"),
                    ("9932", "Great Britain: VAT id"),
                    ("9933", "Greece: VAT id"),
                    ("9910", "Hungary: VAT id"),
                    ("0196", "Iceland: kennitala"),
                    ("9935", "Ireland: VAT id"),
                    ("0201", "Italy: code of a public office (IPA)"),
                    ("0210", "Italy: codice fiscale"),
                    ("0211", "Italy: VAT id"),
                    ("0188", "Japan: corporate number"),
                    ("0221", "Japan: registered invoice issuer"),
                    ("0218", "Latvia: registration number"),
                    ("9939", "Latvia: VAT id"),
                    ("9936", "Liechtenstein: VAT id"),
                    ("0200", "Lithuania: company code"),
                    ("9937", "Lithuania: VAT id"),
                    ("9938", "Luxembourg: VAT id"),
                    ("0106", "Netherlands: Chamber of Commerce number (KvK)"),
                    ("0190", "Netherlands: number of an authority (OIN)"),
                    ("9944", "Netherlands: VAT id"),
                    ("0192", "Norway: organisation number"),
                    ("9945", "Poland: VAT id"),
                    ("9946", "Portugal: VAT id"),
                    ("9947", "Romania: VAT id"),
                    ("0195", "Singapore: UEN"),
                    ("9950", "Slovakia: VAT id"),
                    ("9949", "Slovenia: VAT id"),
                    ("9920", "Spain: VAT id"),
                    ("0007", "Sweden: organisation number"),
                    ("0183", "Switzerland: UID"),
                    ("9927", "Switzerland: VAT id"),
                    ("9959", "United States: employer number (EIN)"),
                ],
                help_text="Whose numbers the customer's address for e-invoices is of.",
                max_length=4,
                verbose_name="kind of electronic address",
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="legal_name",
            field=models.CharField(
                blank=True,
                help_text="As registered. Leave empty if it is the customer's name.",
                max_length=120,
                validators=[portal.core.validators.validate_name],
                verbose_name="legal name",
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="order_reference",
            field=models.CharField(
                blank=True,
                help_text="Of the order that all invoices belong to.",
                max_length=100,
                validators=[portal.core.validators.validate_visible],
                verbose_name="customer's order number",
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="register_number",
            field=models.CharField(
                blank=True,
                help_text="Of the company register, such as HRB 123456.",
                max_length=60,
                validators=[portal.core.validators.validate_visible],
                verbose_name="register number",
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="vat_reason",
            field=models.CharField(
                blank=True,
                help_text="Printed on invoices; empty for the usual words. An exemption needs the law, such as “§ 4 No. 14 UStG”.",
                max_length=200,
                validators=[portal.core.validators.validate_visible],
                verbose_name="reason of the treatment",
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="vat_treatment",
            field=models.CharField(
                choices=[
                    ("S", "Taxed as usual"),
                    ("Z", "Zero-rated: VAT of 0 %"),
                    ("E", "Exempt from VAT"),
                    ("AE", "Reverse charge: the customer owes the VAT"),
                    ("K", "Supply to a business in another EU country"),
                    ("G", "Export out of the EU"),
                    ("O", "Outside the scope of VAT"),
                ],
                default="S",
                help_text="What invoices say where no VAT is charged. The taxes to charge are ticked under Taxes.",
                max_length=2,
                verbose_name="VAT treatment",
            ),
        ),
        migrations.AddField(
            model_name="tax",
            name="is_vat",
            field=models.BooleanField(
                default=True,
                help_text="Stands in the VAT breakdown of invoices. Unticked, it is another levy, such as a sales tax or an emergency call fund: a surcharge on invoices.",
                verbose_name="is VAT or GST",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("endpoint_id", ""), ("endpoint_scheme", "")),
                    models.Q(
                        models.Q(("endpoint_scheme", ""), _negated=True),
                        models.Q(("endpoint_id", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="account_endpoint_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("vat_treatment", "E"), _negated=True),
                    models.Q(("vat_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="account_exemption_has_a_reason",
            ),
        ),
        migrations.RunPython(tell_levies_apart, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="tax",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_vat", False), ("amount", 0), _connector="OR"),
                name="tax_vat_is_a_percentage",
                violation_error_message="VAT is a percentage: untick it, or leave the amount empty.",
            ),
        ),
        migrations.AddField(
            model_name="seller",
            name="customer",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="seller",
                to="customers.customer",
                verbose_name="customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="seller",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("endpoint_id", ""), ("endpoint_scheme", "")),
                    models.Q(
                        models.Q(("endpoint_scheme", ""), _negated=True),
                        models.Q(("endpoint_id", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="seller_endpoint_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="seller",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("iban", ""), ("account_number", ""), _connector="OR"
                ),
                name="seller_has_one_bank_account",
            ),
        ),
        migrations.AddConstraint(
            model_name="seller",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("untaxed_category", "E"), _negated=True),
                    models.Q(("untaxed_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="seller_exemption_has_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="seller",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("untaxed_category", "O"), _negated=True),
                    ("vat_id", ""),
                    _connector="OR",
                ),
                name="seller_outside_vat_has_no_vat_id",
            ),
        ),
    ]
