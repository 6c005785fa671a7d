"""People who may sign in: making, changing and removing them (D 7.1)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, Value
from django.utils.translation import gettext as _

from billing.services import fees
from billing.services.fee_lines import FeatureItem
from customers import emails
from customers.models import Customer, Person, SortKey, SystemOptions
from customers.selectors import assignable_roles, may_manage
from portal.core import audit
from portal.core.actor import Actor
from portal.core.integrity import at_field, refusals
from portal.core.models import OutgoingEmail, Session
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from portal.core.sessions import end_session
from portal.core.staleness import refuse_stale
from portal.core.tree_lock import hold_place, hold_tree
from portal.core.validators import clean_emails
from rateplans.choices import Feature

FIELDS: tuple[str, ...] = (
    "username",
    "emails",
    "role",
    "is_active",
    "title",
    "first_name",
    "last_name",
    "company",
    "description",
    "country",
    "telephone",
    "mobile",
    "fax",
    "extension",
    "language",
    "time_zone",
    "date_format",
    "time_format",
    "public_key",
    "source_ips",
)
# What people may change about themselves (Settings » Profile).
PROFILE_FIELDS: tuple[str, ...] = (
    "emails",
    "title",
    "first_name",
    "last_name",
    "telephone",
    "mobile",
    "fax",
    "language",
    "time_zone",
    "date_format",
    "time_format",
    "public_key",
)
_CONSTRAINTS = {
    "person_username_once": "username",
    "person_brackets_are_pseudo": "username",
}


@transaction.atomic
def create_person(
    *,
    customer: Customer,
    values: Mapping[str, Any],
    by: Actor,
    sends_login_details: bool = True,
    price_seen: Decimal | None = None,
) -> Person:
    """Make a person of ``customer``, who chooses a password by a mailed link.

    ``values`` holds some of `FIELDS`, at least username and role. Fees are charged;
    ``price_seen`` and what is raised by them are as billing.services.fees says.
    Raises ValidationError by field, too.
    """
    person = make_person(
        customer=customer,
        values=values,
        by=by,
        sends_login_details=sends_login_details,
    )
    fees.add_features(customer, [billed(person)], by=by, price_seen=price_seen)
    return person


def make_person(
    *,
    customer: Customer,
    values: Mapping[str, Any],
    by: Actor,
    sends_login_details: bool = True,
) -> Person:
    """The same without its fees, which the caller charges in the same transaction."""
    by.require(Permission.ADMINISTRATOR)
    hold_place(customer, by=by)
    person = Person(customer=customer, **_known(values))
    person.set_unusable_password()
    _check(person, by=by, is_role_new=True)
    with refusals(Person, _CONSTRAINTS):
        person.save(force_insert=True)
    audit.record(
        "person.created",
        person,
        by=by,
        customer=customer,
        changes=audit.first_values(person, FIELDS),
    )
    if sends_login_details and emails.recipients_of(person):
        emails.send_login_details(person)
    return person


@transaction.atomic
def update_person(
    *,
    person: Person,
    values: Mapping[str, Any],
    by: Actor,
    is_own: bool = False,
    seen: str = "",
) -> Person:
    """Change a person. ``is_own``: people change their profile, administrators or not.

    ``seen`` is the state (portal.core.staleness) that the change was made from.
    Raises ValidationError by field, StaleError if the person is not as ``seen``.
    """
    by.require(Permission.USER if is_own else Permission.ADMINISTRATOR)
    person = _locked(person)
    if not is_own:
        _require_manageable(person, by)
    refuse_stale(person, FIELDS, seen=seen)
    before = audit.snapshot(person, FIELDS)
    old_role_id = person.role_id
    for name, value in _known(values).items():
        setattr(person, name, value)
    is_role_new = person.role_id != old_role_id
    _check(person, by=by, is_role_new=is_role_new)
    if _is_self(person, by):
        _refuse_self_lock_out(person, by=by, is_role_new=is_role_new)
    with refusals(Person, _CONSTRAINTS):
        person.save()
    changes = audit.differences(before, audit.snapshot(person, FIELDS))
    if changes:
        audit.record(
            "person.updated", person, by=by, customer=person.customer, changes=changes
        )
    if not person.is_active:
        end_sessions(person)
    return person


@transaction.atomic
def delete_person(*, person: Person, by: Actor) -> None:
    """Remove a person for good; what it did stays in the log under its name."""
    by.require(Permission.ADMINISTRATOR)
    hold_tree()
    person = _locked(person)
    _require_manageable(person, by)
    if _is_self(person, by):
        raise ValidationError(_("You cannot delete yourself."), code="self")
    audit.record("person.deleted", person, by=by, customer=person.customer)
    end_sessions(person)
    fees.remove_features(person.customer, [billed(person)], by=by)
    person.delete()


@transaction.atomic
def resend_login_details(*, person: Person, by: Actor) -> OutgoingEmail:
    """Mail the user name and a fresh link. ValidationError if there is no address."""
    by.require(Permission.ADMINISTRATOR)
    _require_manageable(person, by)
    _require_recipients(person)
    email = emails.send_login_details(person)
    audit.record("person.login_details_sent", person, by=by, customer=person.customer)
    return email


@transaction.atomic
def require_new_password(*, person: Person, by: Actor) -> OutgoingEmail:
    """Void the password and mail a link to choose another; signs the person out.

    Nobody ever sets the password of somebody else. Raises ValidationError for oneself,
    and if there is no address.
    """
    by.require(Permission.ADMINISTRATOR)
    person = _locked(person)
    _require_manageable(person, by)
    if _is_self(person, by):
        raise ValidationError(
            _("Change your own password under Settings » Password."), code="self"
        )
    _require_recipients(person)
    person.set_unusable_password()
    person.save(update_fields=["password"])
    end_sessions(person)
    audit.record("person.password_required", person, by=by, customer=person.customer)
    return emails.send_login_details(person)


@transaction.atomic
def set_password(*, person: Person, password: str, by: Actor) -> Person:
    """Take the password the person chose; every other browser is signed out."""
    person = _locked(person)
    person.set_password(password)
    person.failed_logins = 0
    person.save(update_fields=["password", "failed_logins"])
    audit.record("person.password_changed", person, by=by, customer=person.customer)
    return person


def end_sessions(person: Person, *, except_key: str = "") -> int:
    """Sign the person out everywhere, except in the session given; how many ended."""
    keys = list(
        Session.objects.filter(person=person)
        .exclude(session_key=except_key)
        .values_list("session_key", flat=True)
    )
    for key in keys:
        end_session(key)
    return len(keys)


def billed(person: Person) -> FeatureItem:
    """The person as billing knows it."""
    return FeatureItem(Feature.PERSON, person.pk, person.username)


def _require_manageable(person: Person, by: Actor) -> None:
    """Raise PermissionDenied for people outside of the account, and mightier ones."""
    if not person.customer.is_within(by.customer) or not may_manage(person, by):
        raise PermissionDenied


def _require_recipients(person: Person) -> None:
    if not emails.recipients_of(person):
        raise ValidationError(
            _("Enter an e-mail address for this person first."), code="no_email"
        )


def _is_self(person: Person, by: Actor) -> bool:
    return by.person is not None and by.person.pk == person.pk


def _refuse_self_lock_out(person: Person, *, by: Actor, is_role_new: bool) -> None:
    """Nobody locks the door behind them by mistake. Raises ValidationError by field."""
    errors: dict[str, ValidationError] = {}
    if is_role_new:
        errors["role"] = ValidationError(
            _("You cannot change your own role."), code="self"
        )
    if not person.is_active:
        errors["is_active"] = ValidationError(
            _("You cannot take your own login away."), code="self"
        )
    if by.source_ip and not person.may_come_from(by.source_ip):
        errors["source_ips"] = ValidationError(
            _("You would lock yourself out: your own address is %(address)s."),
            code="self",
            params={"address": by.source_ip},
        )
    if errors:
        raise ValidationError(errors)


def _locked(person: Person) -> Person:
    locked = Person.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("customer", "role").get(pk=person.pk, is_pseudo=False)


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(values) - set(FIELDS)
    if unknown:
        raise TypeError(f"not fields of a person: {sorted(unknown)}")
    return dict(values)


def _check(person: Person, *, by: Actor, is_role_new: bool) -> None:
    """The rules that need the system's options, other rows, or the actor."""
    person.username = " ".join(person.username.split())
    with at_field("emails"):
        person.emails = clean_emails(person.emails)
    person.full_clean(
        exclude=["customer", "role", "password"], validate_constraints=False
    )
    errors: dict[str, ValidationError] = {}
    options = SystemOptions.current()
    if (
        options.person_email_required
        and not person.emails
        and not person.customer.email
    ):
        errors["emails"] = ValidationError(
            _("Enter an e-mail address."), code="required"
        )
    if options.person_email_unique and _is_email_taken(person):
        errors["emails"] = ValidationError(
            _("Another person has this e-mail address."), code="taken"
        )
    if is_role_new:
        roles = assignable_roles(by, customer=person.customer)
        if not roles.filter(pk=person.role_id).exists():
            errors["role"] = ValidationError(
                _("Choose a role from the list."), code="role"
            )
    if errors:
        raise ValidationError(errors)


def _is_email_taken(person: Person) -> bool:
    addresses = {address.casefold() for address in person.email_addresses}
    matches = Q()
    for address in addresses:
        matches |= Q(search_key__contains=SortKey(Value(address)))
    if not matches:
        return False
    with scopes_disabled():  # the option speaks of the whole system
        others = Person.objects.filter(matches, is_pseudo=False).exclude(pk=person.pk)
        # The index finds parts of addresses and user names too; only whole ones count.
        return any(
            addresses & {address.casefold() for address in other.email_addresses}
            for other in others[:1000]
        )
