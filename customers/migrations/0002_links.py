import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0001_initial"),
        ("rateplans", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="number",
            name="number_class",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="numbers",
                to="rateplans.numberclass",
                verbose_name="class",
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="region",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.region",
                verbose_name="region",
            ),
        ),
        migrations.AddConstraint(
            model_name="role",
            constraint=models.UniqueConstraint(
                condition=models.Q(("default_for", ""), _negated=True),
                fields=("default_for",),
                name="role_default_once",
            ),
        ),
        migrations.AddField(
            model_name="person",
            name="role",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="people",
                to="customers.role",
                verbose_name="role",
            ),
        ),
        migrations.AddField(
            model_name="switch",
            name="acting_as",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="acting as",
            ),
        ),
        migrations.AddField(
            model_name="switch",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="switches",
                to="customers.customer",
                verbose_name="customer",
            ),
        ),
        migrations.AddField(
            model_name="switch",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="switches",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AddConstraint(
            model_name="systemoptions",
            constraint=models.CheckConstraint(
                condition=models.Q(("pk", 1)), name="system_options_are_one_row"
            ),
        ),
        migrations.AddField(
            model_name="telephoneline",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="lines",
                to="customers.customer",
                verbose_name="customer",
            ),
        ),
        migrations.AddField(
            model_name="telephoneline",
            name="dial_plan",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.dialplan",
                verbose_name="dial plan",
            ),
        ),
        migrations.AddField(
            model_name="telephoneline",
            name="mailbox",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="lines",
                to="customers.mailbox",
                verbose_name="mailbox",
            ),
        ),
        migrations.AddField(
            model_name="number",
            name="line",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="numbers",
                to="customers.telephoneline",
                verbose_name="rings at line",
            ),
        ),
        migrations.AddIndex(
            model_name="mailbox",
            index=models.Index(
                fields=["customer", "name", "id"], name="mailbox_by_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="mailbox",
            constraint=models.UniqueConstraint(
                fields=("customer", "box_number"),
                name="mailbox_number_once_per_customer",
                violation_error_message="Another mailbox has this number.",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                fields=["parent", "sort_key", "id"], name="customer_by_name"
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                fields=["parent", "account_number", "id"], name="customer_by_number"
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                fields=["parent", "created_at", "id"], name="customer_by_age"
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["sort_key", "id"], name="customer_all_by_name"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["created_at", "id"], name="customer_all_by_age"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)),
                fields=["parent", "sort_key", "id"],
                name="customer_deleted",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("lock", "none"), _negated=True),
                fields=["parent", "sort_key", "id"],
                name="customer_locked",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                models.F("parent_id"),
                django.contrib.postgres.indexes.OpClass(
                    models.F("sort_key"), name="gin_trgm_ops"
                ),
                django.contrib.postgres.indexes.OpClass(
                    models.F("account_number"), name="gin_trgm_ops"
                ),
                name="customer_search",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.UniqueConstraint(
                fields=("name_key",),
                name="customer_name_once",
                violation_error_message="This name is already in use. Names are unique in the whole system: add a place or a number to it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.UniqueConstraint(
                fields=("parent", "account_number"),
                name="customer_account_number_once_per_reseller",
                violation_error_message="Another of your customers has this account number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(("parent", None)),
                name="customer_tree_has_one_root",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("path__regex", "^([0-9]+\\.)+$")),
                name="customer_path_ends_with_its_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lock", "none"), _negated=True),
                    ("lock_reason", ""),
                    _connector="OR",
                ),
                name="customer_lock_reason_only_when_locked",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("concurrent_calls", None),
                        ("concurrent_calls__gte", -1),
                        _connector="OR",
                    ),
                    models.Q(
                        ("bulk_calls", None), ("bulk_calls__gte", -1), _connector="OR"
                    ),
                ),
                name="customer_limits_from_minus_one",
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                fields=["customer", "username_key"], name="person_by_username"
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    models.F("search_key"), name="gin_trgm_ops"
                ),
                name="person_search",
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(
                fields=("username_key",),
                name="person_username_once",
                violation_error_message="This user name is taken.",
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_pseudo", True)),
                fields=("customer",),
                name="person_one_pseudo_per_customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_pseudo", True),
                    models.Q(("username_key__startswith", "["), _negated=True),
                    _connector="OR",
                ),
                name="person_brackets_are_pseudo",
                violation_error_message="A user name cannot begin with a square bracket.",
            ),
        ),
        migrations.AddConstraint(
            model_name="switch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("session_key", "customer"),
                name="switch_open_once_per_session",
            ),
        ),
        migrations.AddIndex(
            model_name="telephoneline",
            index=models.Index(fields=["customer", "name", "id"], name="line_by_name"),
        ),
        migrations.AddConstraint(
            model_name="telephoneline",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("username"),
                name="line_username_once",
                violation_error_message="This SIP user name is taken.",
            ),
        ),
        migrations.AddConstraint(
            model_name="telephoneline",
            constraint=models.UniqueConstraint(
                condition=models.Q(("extension", ""), _negated=True),
                fields=("customer", "extension"),
                name="line_extension_once_per_customer",
                violation_error_message="Another line has this extension.",
            ),
        ),
        migrations.AddIndex(
            model_name="number",
            index=models.Index(
                fields=["customer", "number"], name="number_by_customer"
            ),
        ),
        migrations.AddIndex(
            model_name="number",
            index=models.Index(
                condition=models.Q(("line", None), ("mailbox", None)),
                fields=["customer", "number_class", "number"],
                name="number_free",
            ),
        ),
        migrations.AddIndex(
            model_name="number",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    models.F("number"), name="gin_trgm_ops"
                ),
                name="number_search",
            ),
        ),
        migrations.AddConstraint(
            model_name="number",
            constraint=models.UniqueConstraint(
                fields=("number",),
                name="number_once",
                violation_error_message="This number is already in the system.",
            ),
        ),
        migrations.AddConstraint(
            model_name="number",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__regex", "^\\+[1-9][0-9]{2,14}$")),
                name="number_is_e164",
            ),
        ),
    ]
