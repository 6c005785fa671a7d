from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    """Trigram search, also within one reseller's rows in the same index."""

    initial = True
    dependencies = []
    operations = [TrigramExtension(), BtreeGinExtension()]
