"""Work that follows a request and must not make it slower."""

import logging

from celery import shared_task
from celery.app.task import Task
from kombu.exceptions import OperationalError

from customers import emails, selectors
from portal.core.scope import scopes_disabled

logger = logging.getLogger(__name__)


class _Announced(Task):
    """A task that is done at once when there is no broker to leave it with."""

    def announce(self, text: str) -> None:
        try:
            self.delay(text)
        except (OperationalError, OSError):
            logger.warning("broker away; %s is done in the request", self.name)
            self(text)


@shared_task(base=_Announced)
def send_password_resets(identity: str) -> None:
    """Mail a link to everybody whom a user name or an e-mail address means."""
    with scopes_disabled():  # nobody is signed in: the person may be anywhere
        for person in selectors.people_meant(identity):
            emails.send_password_reset(person)
