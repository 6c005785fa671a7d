"""How the audit log reads to people: actions, objects and fields by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.text import Truncator, capfirst, format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from portal.core import audit
from portal.core.actor import TenantRow
from portal.core.audit import SECRET_FIELDS
from portal.core.display import format_moment
from portal.core.models import AuditEvent
from portal.core.money import plain_amount
from rateplans.wording import code_label

# Long texts, such as keys, are cut on pages; the export has them whole.
LONGEST_VALUE = 300
# Saves that a form came too late for and still tells about.
MOST_MISSED = 10
# So many changes of one event stand open in a timeline; more are folded. What a new row
# was given says less than what somebody changed.
OPEN_CHANGES = 5
OPEN_FIRST_VALUES = 2


@dataclass(frozen=True, slots=True)
class ActionLabel:
    """An action in words, with the icon and the tone it has in a timeline."""

    title: Any
    icon: str = "pencil"
    kind: str = "neutral"


ACTIONS: dict[str, ActionLabel] = {
    "customer.created": ActionLabel(
        gettext_lazy("Customer created"), "plus", "success"
    ),
    "customer.updated": ActionLabel(gettext_lazy("Customer changed")),
    "customer.locked": ActionLabel(gettext_lazy("Customer locked"), "lock", "warning"),
    "customer.unlocked": ActionLabel(
        gettext_lazy("Customer unlocked"), "lock-open", "success"
    ),
    "customer.deleted": ActionLabel(
        gettext_lazy("Customer deleted"), "trash-2", "danger"
    ),
    "customer.undeleted": ActionLabel(
        gettext_lazy("Customer restored"), "undo-2", "success"
    ),
    "customer.purged": ActionLabel(gettext_lazy("Customer purged"), "flame", "danger"),
    "customer.charged": ActionLabel(
        gettext_lazy("Charged after a failed billing run"), "receipt-text", "info"
    ),
    "run.started": ActionLabel(gettext_lazy("Billing run started"), "play", "info"),
    "run.stopped": ActionLabel(
        gettext_lazy("Billing run stopped"), "octagon-pause", "warning"
    ),
    "run.continued": ActionLabel(gettext_lazy("Billing run continued"), "play", "info"),
    "customer.moved": ActionLabel(gettext_lazy("Customer moved"), "network", "warning"),
    "person.created": ActionLabel(
        gettext_lazy("Person created"), "user-plus", "success"
    ),
    "person.updated": ActionLabel(gettext_lazy("Person changed")),
    "person.deleted": ActionLabel(
        gettext_lazy("Person deleted"), "user-minus", "danger"
    ),
    "person.login_details_sent": ActionLabel(
        gettext_lazy("Login details sent"), "mail", "info"
    ),
    "person.password_changed": ActionLabel(
        gettext_lazy("Password changed"), "key-round"
    ),
    "person.password_required": ActionLabel(
        gettext_lazy("New password required"), "key-round", "warning"
    ),
    "person.second_factor_added": ActionLabel(
        gettext_lazy("Second factor set up"), "shield-check", "success"
    ),
    "person.recovery_codes_renewed": ActionLabel(
        gettext_lazy("Recovery codes renewed"), "key-round"
    ),
    "person.signed_in": ActionLabel(gettext_lazy("Logged in"), "log-in", "info"),
    "person.signed_out": ActionLabel(
        gettext_lazy("Logged out by an administrator"), "log-out", "warning"
    ),
    "person.sessions_ended": ActionLabel(
        gettext_lazy("Other browsers logged out"), "log-out"
    ),
    "person.second_factor_removed": ActionLabel(
        gettext_lazy("Second factor removed"), "shield-off", "warning"
    ),
    "line.created": ActionLabel(
        gettext_lazy("Telephone line created"), "plus", "success"
    ),
    "line.updated": ActionLabel(gettext_lazy("Telephone line changed")),
    "line.password_renewed": ActionLabel(
        gettext_lazy("SIP password renewed"), "key-round", "warning"
    ),
    "line.deleted": ActionLabel(
        gettext_lazy("Telephone line deleted"), "trash-2", "danger"
    ),
    "mailbox.created": ActionLabel(gettext_lazy("Mailbox created"), "plus", "success"),
    "mailbox.updated": ActionLabel(gettext_lazy("Mailbox changed")),
    "mailbox.pin_renewed": ActionLabel(
        gettext_lazy("Mailbox PIN renewed"), "key-round", "warning"
    ),
    "mailbox.deleted": ActionLabel(
        gettext_lazy("Mailbox deleted"), "trash-2", "danger"
    ),
    "number.added": ActionLabel(gettext_lazy("Number entered"), "plus", "success"),
    "number.assigned": ActionLabel(
        gettext_lazy("Number assigned"), "arrow-right-left", "info"
    ),
    "number.updated": ActionLabel(gettext_lazy("Number changed")),
    "number.released": ActionLabel(
        gettext_lazy("Number released"), "undo-2", "warning"
    ),
    "exchange_rate.created": ActionLabel(
        gettext_lazy("Exchange rate entered"), "coins", "success"
    ),
    "exchange_rate.updated": ActionLabel(
        gettext_lazy("Exchange rate changed"), "coins", "warning"
    ),
    "exchange_rate.imported": ActionLabel(
        gettext_lazy("Exchange rates imported"), "upload", "success"
    ),
    "charge.created": ActionLabel(gettext_lazy("Charge added"), "plus", "success"),
    "charge.updated": ActionLabel(gettext_lazy("Charge changed")),
    "charge.charged": ActionLabel(gettext_lazy("Charged now"), "receipt-text", "info"),
    "charge.ended": ActionLabel(gettext_lazy("Charge ended"), "trash-2", "danger"),
    "product.created": ActionLabel(gettext_lazy("Product created"), "plus", "success"),
    "product.updated": ActionLabel(gettext_lazy("Product changed")),
    "product.archived": ActionLabel(
        gettext_lazy("Product archived"), "archive", "warning"
    ),
    "product.restored": ActionLabel(
        gettext_lazy("Product offered again"), "undo-2", "success"
    ),
    "product.priced": ActionLabel(
        gettext_lazy("Product's price in a plan changed"), "tags"
    ),
    "product.purchased": ActionLabel(
        gettext_lazy("Product purchased"), "shopping-cart", "success"
    ),
    "note.created": ActionLabel(gettext_lazy("Note written"), "sticky-note", "success"),
    "note.updated": ActionLabel(gettext_lazy("Note changed"), "sticky-note"),
    "note.deleted": ActionLabel(gettext_lazy("Note deleted"), "trash-2", "danger"),
    "email.resent": ActionLabel(gettext_lazy("E-mail sent again"), "mail", "info"),
    "company.updated": ActionLabel(gettext_lazy("Company changed"), "building-2"),
    "seller.updated": ActionLabel(gettext_lazy("Invoicing changed"), "receipt"),
    "series.updated": ActionLabel(
        gettext_lazy("Number series changed"), "list-ordered"
    ),
    "invoice.issued": ActionLabel(
        gettext_lazy("Invoice issued"), "receipt-text", "success"
    ),
    "invoice.approved": ActionLabel(
        gettext_lazy("Invoice approved"), "file-check", "info"
    ),
    "invoice.approval_taken_back": ActionLabel(
        gettext_lazy("Approval withdrawn"), "undo-2", "warning"
    ),
    "invoice.sent": ActionLabel(gettext_lazy("Invoice sent"), "send", "info"),
    "invoice.mailed": ActionLabel(gettext_lazy("Invoice e-mailed"), "mail", "info"),
    "invoice.status_set": ActionLabel(
        gettext_lazy("Status of an invoice set"), "pencil", "warning"
    ),
    "invoice.discarded": ActionLabel(
        gettext_lazy("Invoice no longer wanted"), "trash-2"
    ),
    "plan.archived": ActionLabel(gettext_lazy("Rate plan archived"), "archive"),
    "plan.brought_back": ActionLabel(
        gettext_lazy("Rate plan brought back"), "archive-restore", "success"
    ),
    "plan.priced": ActionLabel(gettext_lazy("Prices changed"), "tags", "info"),
    "custom.created": ActionLabel(
        gettext_lazy("Custom setting added"), "plus", "success"
    ),
    "custom.updated": ActionLabel(gettext_lazy("Custom setting changed")),
    "custom.deleted": ActionLabel(
        gettext_lazy("Custom setting reset"), "undo-2", "warning"
    ),
    "transaction.created": ActionLabel(
        gettext_lazy("Transaction booked"), "wallet", "info"
    ),
    "transaction.reversed": ActionLabel(
        gettext_lazy("Entry taken back"), "undo-2", "warning"
    ),
    "payment.recorded": ActionLabel(
        gettext_lazy("Payment recorded"), "hand-coins", "success"
    ),
    "payment.written_off": ActionLabel(
        gettext_lazy("Written off"), "eraser", "warning"
    ),
    "payment.asked_again": ActionLabel(
        gettext_lazy("Card to be charged again"), "credit-card", "info"
    ),
    "payment.asked": ActionLabel(
        gettext_lazy("Card is charged"), "credit-card", "info"
    ),
    "payment.refused": ActionLabel(gettext_lazy("Payment refused"), "ban", "danger"),
    "payment.reversed": ActionLabel(
        gettext_lazy("Payment taken back"), "undo-2", "warning"
    ),
    "payment.imported": ActionLabel(
        gettext_lazy("Bank statement imported"), "upload", "info"
    ),
    "payment.import_begun": ActionLabel(
        gettext_lazy("Booking of a bank statement begun"), "play", "info"
    ),
    "payment.import_stopped": ActionLabel(
        gettext_lazy("Booking of a bank statement stopped"), "square", "warning"
    ),
    "credit_note.issued": ActionLabel(
        gettext_lazy("Credit note issued"), "receipt-text", "warning"
    ),
    "switch.opened": ActionLabel(
        gettext_lazy("Switched into the customer"), "log-in", "info"
    ),
    "switch.closed": ActionLabel(gettext_lazy("Switched back"), "log-out", "neutral"),
}

# What the system owner sets up in the Django admin, by the nouns of its actions.
SYSTEM_THINGS: dict[str, Any] = {
    "role": gettext_lazy("Role"),
    "region": gettext_lazy("Region"),
    "dial_plan": gettext_lazy("Dial plan"),
    "time_group": gettext_lazy("Time group"),
    "number_class": gettext_lazy("Number class"),
    "plan": gettext_lazy("Rate plan"),
    "tax": gettext_lazy("Tax"),
    "system_options": gettext_lazy("System options"),
}
for _noun, _thing in SYSTEM_THINGS.items():
    ACTIONS |= {
        f"{_noun}.created": ActionLabel(
            format_lazy(gettext_lazy("{thing} created"), thing=_thing),
            "plus",
            "success",
        ),
        f"{_noun}.updated": ActionLabel(
            format_lazy(gettext_lazy("{thing} changed"), thing=_thing)
        ),
        f"{_noun}.deleted": ActionLabel(
            format_lazy(gettext_lazy("{thing} deleted"), thing=_thing),
            "trash-2",
            "danger",
        ),
    }

# Fields that an event names though the object's model has none of that name.
_OTHER_FIELDS: dict[str, Any] = {
    "next_number": gettext_lazy("next number"),
    "taxes": gettext_lazy("taxes liable"),
    "added": gettext_lazy("added"),
    "valid_from": gettext_lazy("valid from"),
    "changed": gettext_lazy("changed"),
    "times": gettext_lazy("times of the week"),
}
# Customer events tell what changed on the billing account as well.
_PARTS: dict[str, tuple[str, ...]] = {
    "customers.customer": ("billing.billingaccount", "customers.company"),
    "billing.product": ("billing.productexception", "billing.charge"),
}


def action_label(action: str) -> ActionLabel:
    """The action in words; one that the table does not know, by its code."""
    known = ACTIONS.get(action)
    if known is not None:
        return known
    return ActionLabel(capfirst(action.replace(".", " ").replace("_", " ")))


def action_choices() -> list[tuple[Any, list[tuple[str, Any]]]]:
    """Actions for a select, grouped by what they are done to."""
    groups: dict[str, list[tuple[str, Any]]] = {}
    for action, label in ACTIONS.items():
        noun = action.partition(".")[0]
        group = "system" if noun in SYSTEM_THINGS and noun not in GROUPS else noun
        groups.setdefault(group, []).append((action, label.title))
    return [(GROUPS[group], choices) for group, choices in groups.items()]


GROUPS: dict[str, Any] = {
    "customer": gettext_lazy("Customers"),
    "person": gettext_lazy("People"),
    "line": gettext_lazy("Telephone lines"),
    "mailbox": gettext_lazy("Mailboxes"),
    "number": gettext_lazy("Numbers"),
    "exchange_rate": gettext_lazy("Exchange rates"),
    "charge": gettext_lazy("Charges"),
    "product": gettext_lazy("Products"),
    "note": gettext_lazy("Notes"),
    "email": gettext_lazy("E-mails"),
    "company": gettext_lazy("Company"),
    "seller": gettext_lazy("Invoicing"),
    "series": gettext_lazy("Number series"),
    "invoice": gettext_lazy("Invoices"),
    "plan": gettext_lazy("Rate plans"),
    "custom": gettext_lazy("Custom settings"),
    "transaction": gettext_lazy("Transactions"),
    "payment": gettext_lazy("Payments"),
    "credit_note": gettext_lazy("Credit notes"),
    "run": gettext_lazy("Billing runs"),
    "switch": gettext_lazy("Switching"),
    "system": gettext_lazy("System"),
}


def object_type_label(object_type: str) -> str:
    """What kind of thing ``object_type`` ("customers.person") is, for people."""
    model = _model(object_type)
    return capfirst(str(model._meta.verbose_name)) if model else object_type


def field_label(object_type: str, name: str) -> str:
    """A field's name as forms show it; its code if no model has it any more."""
    if ":" in name and (price := code_label(name)):
        return price
    field = _field(object_type, name)
    label = getattr(field, "verbose_name", "") or _OTHER_FIELDS.get(name)
    return capfirst(str(label or name.replace("_", " ")))


def describe(event: AuditEvent, *, reader: TenantRow | None = None) -> dict[str, Any]:
    """``event`` as _components/timeline.html shows it.

    ``reader`` is the own account of whoever reads: people from above it are "your
    provider", since tenants are blind to what is above them (D 1.1). Expects
    ``changes`` prefetched, and ``person__customer`` selected if there is a reader.
    """
    label = action_label(event.action)
    changes = changes_of(event, reader=reader)
    is_named = event.object_type != Customer._meta.label_lower and event.object_name
    return {
        "title": f"{label.title}: {event.object_name}"
        if is_named
        else str(label.title),
        "when": format_moment(event.at),
        "when_iso": event.at.isoformat(),
        "who": who_label(event, reader=reader),
        "acting_as": event.acting_as_name.strip("[]"),
        "address": event.source_ip if is_person_known(event, reader=reader) else "",
        "icon": label.icon,
        "kind": label.kind,
        "changes": changes,
        "is_folded": len(changes) > most_open(changes),
    }


def most_open(changes: Sequence[Mapping[str, str]]) -> int:
    """So many changes stand open in a timeline."""
    is_new = not any(change["old"] for change in changes)
    return OPEN_FIRST_VALUES if is_new else OPEN_CHANGES


def missed_changes(row: models.Model, *, reader: TenantRow, count: int = 1) -> str:
    """Who saved ``row`` meanwhile and what, for a form that came ``count`` saves late."""
    events = audit.recent_changes(row, count=min(max(count, 1), MOST_MISSED))
    sentences = [_sentence(event, reader=reader) for event in events]
    return " ".join([*sentences, _("Saving again replaces it by what stands here.")])


def _sentence(event: AuditEvent, *, reader: TenantRow) -> str:
    empty = _("empty")
    parts = [
        f"{change['label']}: {change['old'] or empty} → {change['new'] or empty}"
        for change in changes_of(event, reader=reader)
    ]
    return _("%(who)s, %(when)s: %(changes)s.") % {
        "who": who_label(event, reader=reader),
        "when": format_moment(event.at),
        "changes": "; ".join(parts) or action_label(event.action).title,
    }


def who_label(event: AuditEvent, *, reader: TenantRow | None = None) -> str:
    """Who really did it, whoever they were acting as."""
    if not is_person_known(event, reader=reader):
        return _("Your provider")
    return event.person_name or _("The system")


def is_person_known(event: AuditEvent, *, reader: TenantRow | None) -> bool:
    """Whether ``reader`` may learn who did it: nobody from above its account.

    Of people who were deleted since, only that much is certain: who acted as somebody
    else came from above.
    """
    if reader is None:
        return True
    if event.person is None:
        return not event.acting_as_name
    return bool(event.person.customer.path.startswith(reader.path))


def changes_of(
    event: AuditEvent, *, reader: TenantRow | None = None, is_whole: bool = False
) -> list[dict[str, str]]:
    """What the event changed: label, old and new value; texts uncut if ``is_whole``."""
    return [
        {
            "label": field_label(event.object_type, change.field),
            "old": _value(event.object_type, change.field, change.old, is_whole),
            "new": _("changed")
            if change.field in SECRET_FIELDS
            else _value(event.object_type, change.field, change.new, is_whole),
        }
        for change in event.changes.all()
        if not _tells_what_is_above(event, change.field, reader)
    ]


def _tells_what_is_above(
    event: AuditEvent, field: str, reader: TenantRow | None
) -> bool:
    """A number comes from, and goes back to, an account that its holder cannot see."""
    return field == "customer" and reader is not None and event.path == reader.path


def _value(object_type: str, name: str, stored: str, is_whole: bool) -> str:
    """A stored value as people read it: choices and amounts in their language, yes and
    no in words, moments in their zone. The export has amounts as they are stored."""
    field = _field(object_type, name)
    if getattr(field, "choices", None):
        return _(stored)  # stands in the log as its English label
    if isinstance(field, models.BooleanField):
        return {"yes": _("yes"), "no": _("no")}.get(stored, stored)
    if isinstance(field, models.DateTimeField):
        moment = _moment(stored)
        return format_moment(moment) if moment else stored
    if isinstance(field, models.DecimalField) and stored and not is_whole:
        return plain_amount(Decimal(stored))
    return stored if is_whole else Truncator(stored).chars(LONGEST_VALUE)


def _moment(stored: str) -> datetime | None:
    try:
        return parse_datetime(stored)
    except ValueError:
        return None


def _field(object_type: str, name: str) -> Any:
    for label in (object_type, *_PARTS.get(object_type, ())):
        model = _model(label)
        if model is None:
            continue
        try:
            return model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
    return None


def _model(object_type: str) -> type[models.Model] | None:
    try:
        return apps.get_model(object_type)
    except (LookupError, ValueError):
        return None
