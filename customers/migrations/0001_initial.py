import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import customers.models.customer
import customers.models.person
import portal.core.validators


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0001_extensions"),
    ]

    operations = [
        migrations.CreateModel(
            name="DialPlan",
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
                    "name",
                    models.CharField(max_length=60, unique=True, verbose_name="name"),
                ),
                (
                    "description",
                    models.TextField(blank=True, verbose_name="description"),
                ),
            ],
            options={
                "verbose_name": "dial plan",
                "verbose_name_plural": "dial plans",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Region",
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
                    "name",
                    models.CharField(max_length=60, unique=True, verbose_name="name"),
                ),
                (
                    "description",
                    models.TextField(blank=True, verbose_name="description"),
                ),
            ],
            options={
                "verbose_name": "region",
                "verbose_name_plural": "regions",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Role",
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
                    "name",
                    models.CharField(max_length=60, unique=True, verbose_name="name"),
                ),
                (
                    "description",
                    models.TextField(blank=True, verbose_name="description"),
                ),
                (
                    "may_login",
                    models.BooleanField(default=True, verbose_name="may log in"),
                ),
                (
                    "may_use_api",
                    models.BooleanField(default=False, verbose_name="may use the API"),
                ),
                (
                    "interface",
                    models.CharField(
                        choices=[
                            ("full", "Full"),
                            ("residential", "Residential"),
                            ("wholesale", "Wholesale"),
                        ],
                        default="full",
                        max_length=12,
                        verbose_name="user interface",
                    ),
                ),
                (
                    "permissions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                (
                                    "user",
                                    "Log in, see the own account and the own profile",
                                ),
                                (
                                    "administrator",
                                    "Create and change things in the own account",
                                ),
                                ("wholesale", "Administer a trunking account"),
                                (
                                    "commerce",
                                    "Run the customers below: accounts, plans, prices, invoices",
                                ),
                                ("payment", "Top up and use vouchers"),
                                ("reports", "See transactions, invoices and e-mails"),
                                ("cdrs", "See the call history"),
                                ("callshop", "Run a call shop"),
                                ("audit", "See the audit log"),
                                (
                                    "user_reports",
                                    "Search the people of all customers below",
                                ),
                                ("send_emails", "Send e-mails to many"),
                                ("settings", "Change the company's settings"),
                                ("system", "System administration; system owner only"),
                            ],
                            max_length=20,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="permissions",
                    ),
                ),
                (
                    "menus",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("actions", "Actions"),
                                ("features", "Features"),
                                ("reports", "Reports"),
                                ("commerce", "Commerce"),
                                ("settings", "Settings"),
                                ("system", "System"),
                            ],
                            max_length=20,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="menus",
                    ),
                ),
                (
                    "default_for",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("first_person", "First person of a normal customer"),
                            ("residential", "Person of a residential customer"),
                            ("pseudo", "Pseudo-person one switches to"),
                        ],
                        help_text="Taking over a default takes it from the role that had it.",
                        max_length=15,
                        verbose_name="default for",
                    ),
                ),
            ],
            options={
                "verbose_name": "role",
                "verbose_name_plural": "roles",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Switch",
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
                ("session_key", models.CharField(editable=False, max_length=40)),
                (
                    "opened_at",
                    models.DateTimeField(auto_now_add=True, verbose_name="opened"),
                ),
                ("expires_at", models.DateTimeField(verbose_name="ends at the latest")),
                (
                    "ended_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="ended"),
                ),
            ],
            options={
                "verbose_name": "switch",
                "verbose_name_plural": "switches",
                "ordering": ("-pk",),
            },
        ),
        migrations.CreateModel(
            name="SystemOptions",
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
                    "customer_prefixes",
                    models.BooleanField(
                        default=False,
                        help_text="Show the customer prefix on the customer form.",
                        verbose_name="customers have prefixes",
                    ),
                ),
                (
                    "person_email_required",
                    models.BooleanField(
                        default=True, verbose_name="people need an e-mail address"
                    ),
                ),
                (
                    "person_email_unique",
                    models.BooleanField(
                        default=False,
                        help_text="Refuse a person whose e-mail address another person has.",
                        verbose_name="an e-mail address belongs to one person",
                    ),
                ),
            ],
            options={
                "verbose_name": "system options",
                "verbose_name_plural": "system options",
            },
        ),
        migrations.CreateModel(
            name="TelephoneLine",
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
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "username",
                    models.CharField(
                        help_text="The telephone registers with it. Unique in the system.",
                        max_length=40,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9][A-Za-z0-9_.+-]{2,39}$|^\\+[0-9]{3,15}$",
                                "Use 3 to 40 letters, digits, dots, dashes or underscores.",
                            )
                        ],
                        verbose_name="SIP user name",
                    ),
                ),
                ("password", models.TextField(editable=False)),
                (
                    "extension",
                    models.CharField(
                        blank=True,
                        help_text="Short number that colleagues dial.",
                        max_length=10,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[0-9]*$", "Enter digits only."
                            )
                        ],
                        verbose_name="extension",
                    ),
                ),
                (
                    "callerid",
                    models.CharField(
                        blank=True,
                        help_text="Leave empty for the customer's default caller id.",
                        max_length=16,
                        validators=[portal.core.validators.validate_number],
                        verbose_name="caller id",
                    ),
                ),
                (
                    "is_external_allowed",
                    models.BooleanField(
                        default=True, verbose_name="external calls allowed"
                    ),
                ),
                (
                    "is_enabled",
                    models.BooleanField(default=True, verbose_name="enabled"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        editable=False,
                        verbose_name="created",
                    ),
                ),
            ],
            options={
                "verbose_name": "telephone line",
                "verbose_name_plural": "telephone lines",
                "ordering": ("name", "pk"),
            },
        ),
        migrations.CreateModel(
            name="Customer",
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
                    "path",
                    models.CharField(
                        db_collation="C",
                        editable=False,
                        max_length=1000,
                        unique=True,
                        verbose_name="path",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("normal", "Normal"), ("residential", "Residential")],
                        default="normal",
                        editable=False,
                        max_length=12,
                        verbose_name="type",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=120,
                        validators=[portal.core.validators.validate_name],
                        verbose_name="name",
                    ),
                ),
                (
                    "name_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=customers.models.customer.NameKey(models.F("name")),
                        output_field=models.CharField(db_collation="C", max_length=500),
                    ),
                ),
                (
                    "sort_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=customers.models.customer.SortKey(models.F("name")),
                        output_field=models.CharField(db_collation="C", max_length=500),
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True, max_length=2000, verbose_name="description"
                    ),
                ),
                (
                    "account_number",
                    models.CharField(
                        help_text="Your customer types it when topping up with vouchers.",
                        max_length=20,
                        verbose_name="account number",
                    ),
                ),
                (
                    "account_counter",
                    models.PositiveIntegerField(default=100000, editable=False),
                ),
                (
                    "is_in_directory",
                    models.BooleanField(
                        default=False,
                        help_text="Each number can overrule this.",
                        verbose_name="include numbers in a directory",
                    ),
                ),
                (
                    "prefix",
                    models.CharField(
                        blank=True,
                        max_length=10,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[0-9]*$", "Enter digits only."
                            )
                        ],
                        verbose_name="customer prefix",
                    ),
                ),
                (
                    "lock",
                    models.CharField(
                        choices=[
                            ("none", "Not locked"),
                            ("web", "Web interface"),
                            ("calls", "Making calls"),
                            ("both", "Web interface and calls"),
                        ],
                        default="none",
                        max_length=5,
                        verbose_name="locked",
                    ),
                ),
                (
                    "lock_reason",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="reason for the lock"
                    ),
                ),
                (
                    "concurrent_calls",
                    models.IntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(-1),
                            django.core.validators.MaxValueValidator(100000),
                        ],
                        verbose_name="maximum concurrent calls",
                    ),
                ),
                (
                    "bulk_calls",
                    models.IntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(-1),
                            django.core.validators.MaxValueValidator(100000),
                        ],
                        verbose_name="maximum bulk-dialler calls",
                    ),
                ),
                (
                    "voicemail_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                        verbose_name="purge voicemails after",
                    ),
                ),
                (
                    "voicemail_maximum",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Faxes are not counted.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100000),
                        ],
                        verbose_name="maximum voicemails per mailbox directory",
                    ),
                ),
                (
                    "callerid_in_external",
                    models.BooleanField(
                        blank=True,
                        null=True,
                        verbose_name="receive caller id from external sources",
                    ),
                ),
                (
                    "callerid",
                    models.CharField(
                        blank=True,
                        max_length=16,
                        validators=[portal.core.validators.validate_number],
                        verbose_name="default caller id",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        default="UTC",
                        help_text="Of every date and time shown to this customer, on pages and invoices.",
                        max_length=50,
                        validators=[customers.models.customer.validate_time_zone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        help_text="Of mails and invoices. Leave empty for that of the account above.",
                        max_length=10,
                        verbose_name="language",
                    ),
                ),
                (
                    "address1",
                    models.CharField(
                        blank=True, max_length=100, verbose_name="address"
                    ),
                ),
                (
                    "address2",
                    models.CharField(
                        blank=True, max_length=100, verbose_name="address, line 2"
                    ),
                ),
                (
                    "address3",
                    models.CharField(
                        blank=True, max_length=100, verbose_name="address, line 3"
                    ),
                ),
                (
                    "address_city",
                    models.CharField(blank=True, max_length=80, verbose_name="city"),
                ),
                (
                    "address_state",
                    models.CharField(
                        blank=True, max_length=80, verbose_name="state or county"
                    ),
                ),
                (
                    "address_code",
                    models.CharField(
                        blank=True, max_length=20, verbose_name="post code"
                    ),
                ),
                (
                    "address_other",
                    models.CharField(
                        blank=True, max_length=100, verbose_name="other address details"
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        max_length=2,
                        validators=[customers.models.customer.validate_country],
                        verbose_name="country",
                    ),
                ),
                (
                    "telephone",
                    models.CharField(
                        blank=True,
                        max_length=16,
                        validators=[portal.core.validators.validate_number],
                        verbose_name="telephone",
                    ),
                ),
                (
                    "fax",
                    models.CharField(
                        blank=True,
                        max_length=16,
                        validators=[portal.core.validators.validate_number],
                        verbose_name="fax",
                    ),
                ),
                (
                    "email",
                    models.CharField(
                        help_text="Invoices and notices go here. Separate several addresses by commas.",
                        max_length=500,
                        validators=[portal.core.validators.validate_emails],
                        verbose_name="billing e-mail",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "deleted_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="deleted"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="customers.customer",
                        verbose_name="parent",
                    ),
                ),
                (
                    "dial_plan",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.dialplan",
                        verbose_name="default dial plan",
                    ),
                ),
            ],
            options={
                "verbose_name": "customer",
                "verbose_name_plural": "customers",
                "ordering": ("sort_key", "pk"),
            },
        ),
        migrations.CreateModel(
            name="Company",
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
                    "display_name",
                    models.CharField(
                        blank=True,
                        help_text="Leave empty for the account's name.",
                        max_length=80,
                        validators=[portal.core.validators.validate_name],
                        verbose_name="name shown to customers",
                    ),
                ),
                (
                    "colour",
                    models.CharField(
                        blank=True,
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^#[0-9a-fA-F]{6}$",
                                "Enter a colour as # and six hexadecimal digits, e.g. #1f6feb.",
                            )
                        ],
                        verbose_name="colour",
                    ),
                ),
                (
                    "logo",
                    models.BinaryField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MaxLengthValidator(300000)],
                        verbose_name="logo",
                    ),
                ),
                (
                    "logo_hash",
                    models.CharField(blank=True, editable=False, max_length=16),
                ),
                (
                    "sender_name",
                    models.CharField(
                        blank=True, max_length=80, verbose_name="sender's name"
                    ),
                ),
                (
                    "sender_email",
                    models.EmailField(
                        blank=True, max_length=254, verbose_name="sender's e-mail"
                    ),
                ),
                (
                    "service_email",
                    models.EmailField(
                        blank=True,
                        help_text="Customers' answers to our mails go here.",
                        max_length=254,
                        verbose_name="customer service e-mail",
                    ),
                ),
                (
                    "service_telephone",
                    models.CharField(
                        blank=True,
                        max_length=40,
                        verbose_name="customer service telephone",
                    ),
                ),
                ("website", models.URLField(blank=True, verbose_name="web site")),
                (
                    "requires_second_factor",
                    models.BooleanField(
                        default=False,
                        help_text="People of this account set one up at their next login.",
                        verbose_name="staff must use a second factor",
                    ),
                ),
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="company",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "company",
                "verbose_name_plural": "companies",
            },
        ),
        migrations.CreateModel(
            name="Person",
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
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="last login"
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        help_text="An e-mail address is a good user name: nobody else has it.",
                        max_length=150,
                        validators=[portal.core.validators.validate_name],
                        verbose_name="user name",
                    ),
                ),
                (
                    "username_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=customers.models.customer.NameKey(
                            models.F("username")
                        ),
                        output_field=models.CharField(db_collation="C", max_length=600),
                    ),
                ),
                (
                    "emails",
                    models.CharField(
                        blank=True,
                        max_length=500,
                        validators=[portal.core.validators.validate_emails],
                        verbose_name="e-mail",
                    ),
                ),
                (
                    "search_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=customers.models.customer.SortKey(
                            django.db.models.functions.text.Concat(
                                models.F("first_name"),
                                models.F("last_name"),
                                models.Value(" "),
                                models.F("username"),
                                models.Value(" "),
                                models.F("emails"),
                            )
                        ),
                        output_field=models.CharField(
                            db_collation="C", max_length=2000
                        ),
                    ),
                ),
                ("is_pseudo", models.BooleanField(default=False, editable=False)),
                (
                    "is_active",
                    models.BooleanField(default=True, verbose_name="may log in"),
                ),
                (
                    "title",
                    models.CharField(blank=True, max_length=30, verbose_name="title"),
                ),
                (
                    "first_name",
                    models.CharField(
                        blank=True, max_length=60, verbose_name="first name"
                    ),
                ),
                (
                    "last_name",
                    models.CharField(
                        blank=True, max_length=60, verbose_name="last name"
                    ),
                ),
                (
                    "company",
                    models.CharField(
                        blank=True, max_length=100, verbose_name="company"
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True, max_length=2000, verbose_name="description"
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        max_length=2,
                        validators=[customers.models.customer.validate_country],
                        verbose_name="country",
                    ),
                ),
                (
                    "telephone",
                    models.CharField(
                        blank=True,
                        max_length=16,
                        validators=[portal.core.validators.validate_number],
                        verbose_name="telephone",
                    ),
                ),
                (
                    "mobile",
                    models.CharField(
                        blank=True,
                        max_length=16,
                        validators=[portal.core.validators.validate_number],
                        verbose_name="mobile",
                    ),
                ),
                (
                    "fax",
                    models.CharField(
                        blank=True,
                        max_length=16,
                        validators=[portal.core.validators.validate_number],
                        verbose_name="fax",
                    ),
                ),
                (
                    "extension",
                    models.CharField(
                        blank=True,
                        max_length=20,
                        verbose_name="extension for dial-by-name",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True, max_length=10, verbose_name="language"
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        blank=True,
                        max_length=50,
                        validators=[customers.models.customer.validate_time_zone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "date_format",
                    models.CharField(
                        choices=[
                            ("Y-m-d", "2026-12-31"),
                            ("d/m/Y", "31/12/2026"),
                            ("m/d/Y", "12/31/2026"),
                            ("d.m.Y", "31.12.2026"),
                        ],
                        default="Y-m-d",
                        max_length=10,
                        verbose_name="date format",
                    ),
                ),
                (
                    "time_format",
                    models.CharField(
                        choices=[
                            ("H:i", "24 hours: 18:30"),
                            ("g:i A", "12 hours: 6:30 PM"),
                        ],
                        default="H:i",
                        max_length=10,
                        verbose_name="time format",
                    ),
                ),
                (
                    "public_key",
                    models.TextField(
                        blank=True, max_length=20000, verbose_name="GPG public key"
                    ),
                ),
                (
                    "source_ips",
                    models.CharField(
                        blank=True,
                        help_text="Addresses and ranges that logging in is allowed from. Leave empty for any.",
                        max_length=500,
                        validators=[customers.models.person.validate_networks],
                        verbose_name="source addresses",
                    ),
                ),
                (
                    "failed_logins",
                    models.PositiveIntegerField(
                        default=0, editable=False, verbose_name="failed logins"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="people",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "person",
                "verbose_name_plural": "people",
                "ordering": ("username_key",),
            },
        ),
        migrations.CreateModel(
            name="Mailbox",
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
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "box_number",
                    models.CharField(
                        max_length=16,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^\\+?[0-9]{2,15}$", "Enter 2 to 15 digits."
                            )
                        ],
                        verbose_name="mailbox number",
                    ),
                ),
                ("pin", models.CharField(editable=False, max_length=128)),
                (
                    "emails",
                    models.CharField(
                        blank=True,
                        max_length=500,
                        validators=[portal.core.validators.validate_emails],
                        verbose_name="e-mail for new messages",
                    ),
                ),
                (
                    "is_audio_attached",
                    models.BooleanField(
                        default=True, verbose_name="attach the recording"
                    ),
                ),
                (
                    "is_deleted_after_mail",
                    models.BooleanField(
                        default=False, verbose_name="delete messages once mailed"
                    ),
                ),
                (
                    "maximum",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Leave empty for the customer's maximum.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100000),
                        ],
                        verbose_name="maximum messages",
                    ),
                ),
                (
                    "is_enabled",
                    models.BooleanField(default=True, verbose_name="enabled"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mailboxes",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "mailbox",
                "verbose_name_plural": "mailboxes",
                "ordering": ("name", "pk"),
            },
        ),
        migrations.CreateModel(
            name="Note",
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
                    "author_name",
                    models.CharField(max_length=150, verbose_name="author's name"),
                ),
                ("subject", models.CharField(max_length=120, verbose_name="subject")),
                (
                    "body",
                    models.TextField(blank=True, max_length=10000, verbose_name="note"),
                ),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, verbose_name="created"),
                ),
                (
                    "changed_at",
                    models.DateTimeField(auto_now=True, verbose_name="changed"),
                ),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        help_text="Whom the note is about.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notes",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "note",
                "verbose_name_plural": "notes",
                "ordering": ("-pk",),
            },
        ),
        migrations.CreateModel(
            name="Number",
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
                    "number",
                    models.CharField(
                        help_text="E.164: + and up to 15 digits.",
                        max_length=16,
                        validators=[portal.core.validators.validate_number],
                        verbose_name="number",
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        max_length=2,
                        validators=[customers.models.customer.validate_country],
                        verbose_name="country",
                    ),
                ),
                (
                    "area",
                    models.CharField(blank=True, max_length=80, verbose_name="area"),
                ),
                (
                    "description",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="description"
                    ),
                ),
                (
                    "is_in_directory",
                    models.BooleanField(
                        blank=True, null=True, verbose_name="include in the directory"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="numbers",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="numbers",
                        to="customers.mailbox",
                        verbose_name="unanswered calls go to mailbox",
                    ),
                ),
            ],
            options={
                "verbose_name": "number",
                "verbose_name_plural": "numbers",
                "ordering": ("number",),
            },
        ),
    ]
