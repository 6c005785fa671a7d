from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations


class Migration(migrations.Migration):
    """Exclusion constraints over a plan and a range of days."""

    dependencies = [("core", "0003_links")]
    operations = [BtreeGistExtension()]
