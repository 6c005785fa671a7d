"""`manage.py bench`: the bench command, on durable servers of its own."""

import os

from portal.embedded.throwaway import servers_in_environment


def main(arguments: list[str]) -> int:
    """Run Django's bench command on a fresh, migrated database."""
    with servers_in_environment(durable=True):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
        # Importing Django's management must wait: commands are found by the settings.
        from django.core.management import execute_from_command_line

        execute_from_command_line(["manage.py", "migrate", "--verbosity", "0"])
        execute_from_command_line(["manage.py", "bench", *arguments])
    return 0
