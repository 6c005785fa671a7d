"""What every installation begins with: the roles of D 7.2, one number class, the options."""

from django.db import migrations

OWN = ["user", "administrator", "payment", "reports", "cdrs", "audit", "settings"]
RESELLER = [*OWN, "commerce", "user_reports", "send_emails", "callshop", "wholesale"]
MENUS = ["actions", "features", "reports", "settings"]

# name, description, permissions, menus, default for, interface
ROLES = [
    (
        "System owner",
        "Runs the whole system, the Django admin included.",
        [*RESELLER, "system"],
        [*MENUS, "commerce", "system"],
        "",
        "full",
    ),
    (
        "Reseller",
        "Runs the customers below: accounts, plans, prices and invoices.",
        RESELLER,
        [*MENUS, "commerce"],
        "pseudo",
        "full",
    ),
    (
        "Administrator",
        "Runs one customer's own account: people, lines, numbers and mailboxes.",
        OWN,
        MENUS,
        "first_person",
        "full",
    ),
    (
        "User",
        "Sees the own account and changes the own profile.",
        ["user", "payment", "reports", "cdrs"],
        ["features", "reports", "settings"],
        "residential",
        "residential",
    ),
]


def create(apps, schema_editor):
    role_model = apps.get_model("customers", "Role")
    for name, description, permissions, menus, default_for, interface in ROLES:
        role_model.objects.create(
            name=name,
            description=description,
            permissions=permissions,
            menus=menus,
            default_for=default_for,
            interface=interface,
        )
    apps.get_model("customers", "SystemOptions").objects.create(pk=1)
    apps.get_model("rateplans", "NumberClass").objects.create(name="Normal")


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_links"), ("rateplans", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
