"""A mail's state in words: a pill, a sentence, and what to tell who had it sent."""

from __future__ import annotations

from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from customers.mail_kinds import KINDS
from customers.views.parts import pill
from portal.core.display import format_moment
from portal.core.models import EmailStatus, OutgoingEmail

_TONES = {
    EmailStatus.QUEUED: ("info", "clock"),
    EmailStatus.SENT: ("success", ""),
    EmailStatus.FAILED: ("danger", ""),
    EmailStatus.KEPT: ("neutral", "archive"),
}


def kind_label(email: OutgoingEmail) -> str:
    """What the mail is about."""
    label = KINDS.get(email.kind)
    return str(label or email.kind.replace("_", " ").capitalize())


def mail_tone(email: OutgoingEmail) -> str:
    return _TONES[EmailStatus(email.status)][0]


def mail_pill(email: OutgoingEmail) -> SafeString:
    kind, icon = _TONES[EmailStatus(email.status)]
    return pill(kind, email.get_status_display(), icon)


def explain(email: OutgoingEmail) -> str:
    """How far the mail came and what happens next, in a sentence or two."""
    if email.status == EmailStatus.SENT and email.sent_at:
        return _("The mail server took it on %(moment)s.") % {
            "moment": format_moment(email.sent_at)
        }
    if email.status == EmailStatus.KEPT:
        return _("No mail server is set up, so it is kept here and was not sent.")
    if email.status == EmailStatus.FAILED:
        return _("It was not delivered, and no further attempt is made: %(reason)s") % {
            "reason": _sentence(email.error)
        }
    if email.error:
        return _("The last attempt failed: %(reason)s Next attempt: %(moment)s.") % {
            "reason": _sentence(email.error),
            "moment": format_moment(email.due_at),
        }
    return _("It leaves within moments.")


def mail_message(email: OutgoingEmail | None) -> str:
    """What to say to who just had login details sent."""
    if email is None:
        return _("Saved. No login details were sent.")
    to = {"to": ", ".join(email.to)}
    if email.status == EmailStatus.KEPT:
        return (
            _("No mail server is set up. The mail to %(to)s is kept under E-mails.")
            % to
        )
    return _("Login details are on their way to %(to)s.") % to


def login_mail_line(email: OutgoingEmail | None, *, url: str) -> dict[str, Any] | None:
    """The newest login mail, for _components/state_line.html."""
    if email is None:
        return None
    return {
        "kind": mail_tone(email),
        "icon": "mail",
        "title": _("Login details to %(to)s, %(moment)s")
        % {"to": ", ".join(email.to), "moment": format_moment(email.created_at)},
        "detail": explain(email),
        "pill": email.get_status_display(),
        "url": url,
    }


def _sentence(error: str) -> str:
    return error if error.endswith(".") else f"{error}."
