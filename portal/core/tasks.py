"""Work that follows a commit. Tasks take ids and may run twice or late."""

import logging

from celery import current_app, shared_task
from celery.app.task import Task
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


# What waits in the queue until everything else, such as mails, was handed out.
LATER = 6


def announce(task: str, row_id: int, *, priority: int = 0) -> None:
    """Have the task of that name do its work on a row, by whoever may not import it.

    Without a broker the sweep finds the row later.
    """
    try:
        current_app.send_task(task, [row_id], priority=priority)
    except (OperationalError, OSError):
        logger.warning("broker away; row %s waits for the sweep", row_id)


class _Notifying(Task):
    """A task that may be announced without a broker: the sweep finds the row later."""

    def notify(self, row_id: int) -> None:
        try:
            self.delay(row_id)
        except (OperationalError, OSError):
            logger.warning("broker away; row %s waits for the sweep", row_id)


@shared_task(base=_Notifying)
def send_email(email_id: int) -> None:
    from portal.core import mail

    mail.send_due(email_id)
