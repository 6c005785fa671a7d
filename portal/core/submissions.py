"""Forms that may be saved once: what was sent is claimed in the same transaction."""

from __future__ import annotations

import uuid

from django.db import connection
from django.http import QueryDict

from portal.core.models import Submission


def new_token() -> str:
    return str(uuid.uuid4())


def key_of(token: str, entries: QueryDict) -> str:
    """The key of a form as it was sent: the same only if nothing in it was changed.

    Who goes back, changes what was typed and saves again means it: that is another key.
    Raises ValueError if ``token`` is no UUID.
    """
    kept = entries.copy()
    kept.pop("csrfmiddlewaretoken", None)
    return str(uuid.uuid5(uuid.UUID(token), kept.urlencode()))


def claim(token: str, *, person_id: int) -> Submission | None:
    """Take ``token`` for this transaction; None if it was used before.

    A second claim waits until the first one's transaction ends: if that rolls back, the
    second gets the token. Raises ValueError if the token is no UUID.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_submission (token, person_id, url, created_at)"
            " VALUES (%s, %s, '', now()) ON CONFLICT DO NOTHING",
            [uuid.UUID(token), person_id],
        )
        if cursor.rowcount == 0:
            return None
    return Submission.objects.get(token=token)


def finish(submission: Submission, *, url: str) -> None:
    """Remember where the result is shown, for whoever sends the form again."""
    submission.url = url
    submission.save(update_fields=["url"])


def result_url(token: str, *, person_id: int) -> str:
    """Where the first submission of ``token`` led; empty if it was somebody else's."""
    row = Submission.objects.filter(token=token, person_id=person_id).first()
    return row.url if row else ""
