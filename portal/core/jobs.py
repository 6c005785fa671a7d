"""Work on a timer. Each selects due rows and hands them on one by one."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from portal.core import mail
from portal.core.models import Session, Submission


@shared_task
def send_waiting_emails() -> None:
    """Send what a lost message, a dead worker or a closed mail server left behind."""
    if settings.EMAIL_IS_KEPT:
        return
    for email_id in mail.due_email_ids():
        mail.send_due(email_id)


@shared_task
def forget_old_rows() -> None:
    """Delete what has served: expired sessions, tokens of forms saved two days ago."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    Submission.objects.filter(created_at__lt=now - timedelta(days=2)).delete()
