"""Reads of customers, people and numbers that more than one place needs."""

from __future__ import annotations

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Concat, Trim
from django_otp.plugins.otp_totp.models import TOTPDevice

from billing.models import BillingAccount, out_of_credit
from customers.choices import CustomerKind, RoleDefault
from customers.models import (
    Company,
    Customer,
    NameKey,
    Number,
    Person,
    Role,
    SortKey,
)
from portal.core.actor import Actor, TenantRow
from portal.core.models import OutgoingEmail
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled

# From so many on, some are found soon in whichever order one looks.
MANY_MATCHES = 2000


def name_is_taken(name: str, *, except_id: int | None = None) -> bool:
    """Whether a customer anywhere in the system, deleted ones included, has this name."""
    with scopes_disabled():  # names are unique over the whole system (D 2.3, row 2)
        others = Customer.objects.filter(name_key=NameKey(Value(name)))
    return others.exclude(pk=except_id or 0).exists()


def username_is_taken(username: str, *, except_id: int | None = None) -> bool:
    with scopes_disabled():  # user names are unique over the whole system (D 7.1)
        others = Person.objects.filter(username_key=NameKey(Value(username)))
    return others.exclude(pk=except_id or 0).exists()


def customers_below(by: Actor) -> QuerySet[Customer]:
    """Every customer ``by`` runs: the scope's, without the account acted in itself."""
    return Customer.objects.exclude(pk=by.customer.pk)


def assignable_roles(by: Actor, *, customer: Customer) -> QuerySet[Role]:
    """Roles ``by`` may give to people of ``customer``: none with more than its own rights."""
    roles = Role.objects.filter(permissions__contained_by=sorted(by.permissions))
    if not customer.is_root:
        roles = roles.exclude(permissions__contains=[Permission.SYSTEM])
    return roles


def may_manage(person: Person, by: Actor) -> bool:
    """Whether ``by`` may change ``person``: nobody with fewer rights than that has."""
    return by.permissions.issuperset(person.role.permissions)


def default_role(purpose: RoleDefault) -> Role:
    return Role.objects.get(default_for=purpose)


def attention_counts(provider: TenantRow) -> dict[str, int]:
    """How many living customers directly below are low, and out of credit.

    Each at most `MANY_MATCHES` + 1: more is not counted.
    """
    accounts = BillingAccount.objects.filter(
        provider=provider.pk, customer__deleted_at=None
    ).order_by()
    found = {
        "low": accounts.filter(low_since__isnull=False),
        "out": accounts.filter(out_of_credit()),
    }
    return {
        name: rows.values("pk")[: MANY_MATCHES + 1].count()
        for name, rows in found.items()
    }


def free_numbers(customer: Customer) -> QuerySet[Number]:
    """Numbers ``customer`` holds that lead nowhere yet."""
    return (
        Number.objects.filter(customer=customer, line=None, mailbox=None)
        .select_related("number_class")
        .order_by("number")
    )


def numbers_in_stock(customer: Customer) -> QuerySet[Number]:
    """Free numbers of the account above, which ``customer`` may take one of."""
    with scopes_disabled():  # the stock is above the tenant by nature
        numbers = Number.objects.filter(line=None, mailbox=None)
    return (
        numbers.filter(customer=customer.parent_id)
        .select_related("number_class")
        .order_by("number")
    )


def search_names(text: str) -> Q:
    """Customers whose name contains ``text``, whatever its case, width, spacing, accents.

    One or two letters match the beginning only: trigrams need three.
    """
    key = SortKey(Value(text))
    lookup = "contains" if len("".join(text.split())) > 2 else "startswith"
    return Q(**{f"sort_key__{lookup}": key}) | Q(
        **{f"account_number__{lookup}": "".join(text.split())}
    )


def matching_names(customers: QuerySet[Customer], text: str) -> QuerySet[Customer]:
    """``customers`` that `search_names` finds, looked up before they are put in order.

    To fill a page in the order of names, the planner would rather read the names from A on
    until enough fit: all of them, if those that fit begin with W. Only what fits very many
    is left to it, since it then need not read far.
    """
    found = customers.filter(search_names(text))
    ids = list(found.order_by().values_list("pk", flat=True)[: MANY_MATCHES + 1])
    if len(ids) > MANY_MATCHES:
        return found
    return customers.filter(pk__any_of=ids) if ids else customers.none()


def with_residents(customers: QuerySet[Customer]) -> QuerySet[Customer]:
    """Residential customers, named by a number, with the person's name as ``resident``."""
    with scopes_disabled():  # the customers that it belongs to are in the scope
        people = Person.objects.filter(customer=OuterRef("pk"), is_pseudo=False)
    full_name = Trim(Concat("first_name", Value(" "), "last_name"))
    name = people.order_by("pk").annotate(full_name=full_name).values("full_name")[:1]
    return customers.annotate(
        resident=Case(
            When(kind=CustomerKind.RESIDENTIAL, then=Subquery(name)), default=Value("")
        )
    )


def latest_email(customer: Customer, kind: str) -> OutgoingEmail | None:
    return (
        OutgoingEmail.objects.filter(customer=customer, kind=kind)
        .order_by("-pk")
        .first()
    )


def has_children(customer: TenantRow) -> bool:
    """Whether ``customer`` has living customers of its own."""
    return Customer.objects.filter(parent=customer.pk, deleted_at=None).exists()


def has_second_factor(person: Person) -> bool:
    """Whether signing in takes a code besides the password."""
    return bool(TOTPDevice.objects.filter(user=person, confirmed=True).exists())


def demands_second_factor(person: Person) -> bool:
    """Whether the person's own company wants its staff to have one."""
    company: Company | None = getattr(person.customer, "company", None)
    return company is not None and bool(company.requires_second_factor)


def people_meant(identity: str) -> list[Person]:
    """Who may sign in and has this user name, else who has this e-mail address."""
    people = Person.objects.filter(
        is_pseudo=False,
        is_active=True,
        role__may_login=True,
        customer__deleted_at=None,
    ).select_related("customer", "role")
    identity = identity.replace("\0", "").strip()[:254]
    named = list(people.filter(username_key=NameKey(Value(identity))))
    if named or "@" not in identity:
        return named
    having = people.filter(search_key__contains=SortKey(Value(identity))).order_by("pk")
    return [
        person
        for person in having[:50]
        if identity.casefold() in map(str.casefold, person.email_addresses)
    ]
