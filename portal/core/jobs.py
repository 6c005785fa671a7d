"""Work on a timer. Each selects due rows and hands them on one by one."""

import time
from datetime import timedelta

from axes.models import AccessLog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from portal.core import mail
from portal.core.models import Session, Submission

# Seconds one sweep may take, a little less than the time to the next: a mail server that
# answers slowly must not fill every worker with sweeps.
SWEEP_SECONDS = 25
LOGINS_KEPT = timedelta(days=180)


@shared_task
def send_waiting_emails() -> None:
    """Send what a lost message, a dead worker or a closed mail server left behind."""
    if settings.EMAIL_IS_KEPT:
        return
    end = time.monotonic() + SWEEP_SECONDS
    for email_id in mail.due_email_ids():
        mail.send_due(email_id)
        if time.monotonic() > end:
            return


@shared_task
def forget_old_rows() -> None:
    """Delete what has served: expired sessions, tokens of forms, the list of logins."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    Submission.objects.filter(created_at__lt=now - timedelta(days=2)).delete()
    AccessLog.objects.filter(attempt_time__lt=now - LOGINS_KEPT).delete()
