"""The only writer of the audit log."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import translation

from portal.core.actor import Actor, TenantRow
from portal.core.models import AuditChange, AuditEvent

Changes = Mapping[str, tuple[Any, Any]]

# Never written, whatever a caller passes: a change of them is told without the values.
SECRET_FIELDS = frozenset({"password", "pin", "secret", "token"})


def record(
    action: str,
    target: models.Model,
    *,
    by: Actor,
    customer: TenantRow,
    changes: Changes | None = None,
) -> AuditEvent:
    """Write down that ``by`` did ``action`` to ``target`` in ``customer``'s account.

    ``changes`` maps field names to (old, new); values are kept as people read them, those
    of secret fields not at all.
    """
    event = _event(action, target, by=by, customer=customer)
    event.save()
    AuditChange.objects.bulk_create(_changes(event, changes or {}))
    return event


def record_each(
    action: str,
    targets: Iterable[tuple[models.Model, TenantRow]],
    *,
    by: Actor,
    changes: Changes,
) -> None:
    """`record` for many rows, each with its customer, that changed alike."""
    events = AuditEvent.objects.bulk_create(
        [
            _event(action, target, by=by, customer=customer)
            for target, customer in targets
        ]
    )
    AuditChange.objects.bulk_create(
        [change for event in events for change in _changes(event, changes)]
    )


def _event(
    action: str, target: models.Model, *, by: Actor, customer: TenantRow
) -> AuditEvent:
    with _in_the_logs_language():
        object_name = str(target)[:200]
    return AuditEvent(
        person_id=by.person.pk if by.person else None,
        person_name=by.person.display_name if by.person else "",
        acting_as_id=by.acting_as.pk if by.acting_as else None,
        acting_as_name=by.acting_as.display_name if by.acting_as else "",
        customer_id=customer.pk,
        customer_name=customer.name,
        path=customer.path,
        source_ip=by.source_ip,
        action=action,
        object_type=target._meta.label_lower,
        object_id=target.pk,
        object_name=object_name,
    )


def _changes(event: AuditEvent, changes: Changes) -> list[AuditChange]:
    return [
        AuditChange(
            event=event,
            field=field,
            old="" if field in SECRET_FIELDS else readable(old),
            new="" if field in SECRET_FIELDS else readable(new),
        )
        for field, (old, new) in changes.items()
    ]


def snapshot(row: models.Model, fields: Iterable[str]) -> dict[str, Any]:
    """Values of ``fields`` as they are now, choices by label, for `differences` later."""
    return {field: _value(row, field) for field in fields}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The fields whose value changed, as (old, new)."""
    return {
        field: (before.get(field), value)
        for field, value in after.items()
        if before.get(field) != value
    }


def first_values(row: models.Model, fields: Iterable[str]) -> dict[str, Any]:
    """What a new row was given, as changes from nothing; what is empty is not told."""
    return {
        field: (None, value)
        for field, value in snapshot(row, fields).items()
        if value not in (None, "")
    }


def readable(value: Any) -> str:
    """A value as it stands in the log: independent of who reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(readable(item) for item in value)
    return str(value)


def _value(row: models.Model, name: str) -> Any:
    field = row._meta.get_field(name)
    if getattr(field, "choices", None):
        with _in_the_logs_language():
            return str(getattr(row, f"get_{name}_display")())
    return getattr(row, name)


def _in_the_logs_language() -> translation.override:
    """One for the whole log, whoever acts; pages translate labels for who reads."""
    return translation.override(settings.LANGUAGE_CODE)


def recent_changes(
    target: models.Model,
    *,
    count: int = 1,
    related: Iterable[models.Model] = (),
    actions: Collection[str] = (),
) -> list[AuditEvent]:
    """The newest events about ``target``, with their changes: what a stale form missed.

    Of ``related`` rows too, but only what ``actions`` names.
    """
    wanted = _about(target)
    for row in related:
        wanted |= _about(row) & Q(action__in=actions)
    events = AuditEvent.objects.filter(wanted)
    return list(
        events.select_related("person__customer")
        .prefetch_related("changes")
        .order_by("-pk")[:count]
    )


def _about(row: models.Model) -> Q:
    return Q(object_type=row._meta.label_lower, object_id=row.pk)
