"""The first step of a new installation: the account above all others."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from customers.mail_kinds import LOGIN_DETAILS
from customers.models import Person
from customers.selectors import latest_email
from customers.services.customers import NewPerson
from customers.services.installation import create_system_owner
from portal.core import secrets
from portal.core.models import EmailStatus
from portal.core.scope import scopes_disabled


class Command(BaseCommand):
    help = (
        "Make the system owner and its first person, who is mailed a link to choose a"
        " password. Without a mail server the link is printed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="of the company")
        parser.add_argument("--username", required=True, help="of its first person")
        parser.add_argument("--email", required=True, help="of both")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person = create_system_owner(
                name=options["name"],
                email=options["email"],
                person=NewPerson(username=options["username"]),
            )
        except ValidationError as error:
            raise CommandError("\n".join(_sentences(error))) from error
        self.stdout.write(f"Made the system owner “{person.customer.name}”.")
        self._tell_next_step(person)

    def _tell_next_step(self, person: Person) -> None:
        with scopes_disabled():  # a command, run by nobody
            email = latest_email(person.customer, LOGIN_DETAILS)
        assert email is not None  # the address is required
        if email.status == EmailStatus.KEPT:
            self.stdout.write(
                f"No mail server is set up. {person.username} chooses a password at:"
            )
            self.stdout.write(secrets.decrypt(email.secret))
        else:
            self.stdout.write(
                f"A link to choose a password goes to {', '.join(email.to)}."
            )


def _sentences(error: ValidationError) -> list[str]:
    """What was refused, each with the option it is about."""
    if not hasattr(error, "error_dict"):
        return error.messages
    return [
        f"--{field.removeprefix('person_')}: {message}"
        for field, messages in error.message_dict.items()
        for message in messages
    ]
