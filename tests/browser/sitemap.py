"""The pages there are, told by the URL map, and who may look at them.

A new page is found by itself. Only a row of a new kind, a word before ``<int:pk>`` that is
not in `ROWS`, has to be said here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import product
from math import ceil
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from billing.choices import PaymentMethod
from billing.models import (
    BillingAccount,
    Charge,
    Invoice,
    LedgerEntry,
    Payment,
    PaymentImport,
    PaymentImportLine,
    PeriodRun,
    Product,
    ProductException,
    RunFailure,
    Tax,
)
from billing.services import payment_imports, payments
from billing.services.payments import Received
from customers.models import (
    Customer,
    Mailbox,
    Note,
    Number,
    Person,
    TelephoneLine,
)
from customers.services import customers as customer_services
from customers.services import (
    lines,
    mailboxes,
    notes,
    numbers,
    people,
    tree,
)
from customers.tokens import reset_link, welcome_link
from portal.core.actor import Actor, system_actor
from portal.core.models import OutgoingEmail
from portal.core.scope import subtree
from rateplans.models import CustomSetting, RatePlan
from rateplans.services import customs
from tests.books import give
from tests.invoicing.bills import charge, issued
from tests.world import World

LARGEST = 25  # pages that one test goes through
# Not in the frame of the portal, with tests of its own.
ELSEWHERE = {"admin": "Django's own pages: tests/admin"}


@dataclass(frozen=True, slots=True)
class Route:
    """One entry of the URL map that can be opened: ``a/<int:account>/search/``."""

    name: str
    path: str
    view: Any

    @property
    def section(self) -> str:
        """Commerce, features, ...; pages of nobody's account are "signed-out"."""
        inside = self.path.removeprefix("a/<int:account>/")
        if inside == self.path:
            return "signed-out"
        return inside.split("/")[0].partition("<")[0] or "start"


def routes() -> list[Route]:
    """Everything that answers to GET."""
    return [route for route in _walk(get_resolver(), "", "") if _is_opened(route.view)]


def parts() -> dict[str, list[Route]]:
    """The pages of each section, in parts that several workers can share."""
    found: dict[str, list[Route]] = {}
    for section in sorted({route.section for route in routes()}):
        pages = [route for route in routes() if route.section == section]
        count = ceil(len(pages) / LARGEST)
        size = ceil(len(pages) / count)
        for number in range(count):
            name = f"{section}-{number + 1}" if count > 1 else section
            found[name] = pages[number * size : (number + 1) * size]
    return found


def _walk(resolver: Any, path: str, namespace: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        here = path + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield Route(f"{namespace}{entry.name}", here, entry.callback)
        elif isinstance(entry, URLResolver) and entry.namespace not in ELSEWHERE:
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry, here, inner)


def _is_opened(view: Any) -> bool:
    view_class = getattr(view, "view_class", None)
    if view_class is None:
        return True
    return hasattr(view_class, "get") and "get" in view_class.http_method_names


# Rows that pages are about, by the word of the address before their id, best ones first;
# with the section where the same word means another thing.
Rows = Callable[[Customer], Iterable[Any]]
ROWS: dict[str, Rows] = {
    "customers": lambda account: Customer.objects.filter(parent=account),
    "receivables": lambda account: Customer.objects.filter(parent=account),
    "people": lambda account: Person.objects.filter(customer=account, is_pseudo=False),
    "lines": lambda account: TelephoneLine.objects.filter(customer=account),
    "numbers": lambda account: Number.objects.filter(customer=account),
    "mailboxes": lambda account: Mailbox.objects.filter(customer=account),
    "emails": lambda account: OutgoingEmail.objects.filter(customer=account),
    "notes": lambda account: Note.objects.filter(customer__parent=account),
    "plans": lambda account: RatePlan.objects.filter(owner=account),
    "customs": lambda account: CustomSetting.objects.filter(plan__owner=account),
    "entries": lambda account: LedgerEntry.objects.filter(account__customer=account),
    "ledger": lambda account: LedgerEntry.objects.filter(
        account__customer__parent=account
    ),
    "charges": lambda account: Charge.objects.filter(owner=account),
    "products": lambda account: Product.objects.filter(owner=account),
    "taxes": lambda account: Tax.objects.filter(owner=account),
    "commerce/invoices": lambda account: Invoice.objects.filter(issuer=account),
    "reports/invoices": lambda account: Invoice.objects.filter(
        account__customer=account
    ),
    "payment-imports": lambda account: PaymentImport.objects.filter(owner=account),
    "rows": lambda account: PaymentImportLine.objects.filter(owner=account),
    "payments": lambda account: Payment.objects.filter(provider=account),
    "runs": lambda account: PeriodRun.objects.filter(
        failures__account__provider=account
    ),
}


@dataclass(frozen=True, slots=True)
class Audience:
    """Somebody who looks at pages: in an account, or signed out."""

    name: str
    client: Client
    account: Customer
    person: Person | None = None

    def addresses(self, route: Route) -> Iterator[str]:
        """Addresses of the route's page with rows of this account, the likely ones first."""
        if match := re.match(r"(welcome|password/reset)/", route.path):
            link = welcome_link if match[1] == "welcome" else reset_link
            assert self.account.people.exists()
            yield "/" + link(self.account.people.earliest("pk")).split("/", 3)[3]
            return
        places = re.findall(r"(?:([\w-]+)/)?<\w+:(\w+)>", route.path)
        choices = [self._values(route.section, word, name) for word, name in places]
        for values in product(*choices):
            yield "/" + re.sub(r"<\w+:\w+>", "{}", route.path).format(*values)

    def _values(self, section: str, word: str, name: str) -> list[str]:
        if name == "account":
            return [str(self.account.pk)]
        if name not in {"pk", "note", "entry", "product", "custom", "row"}:
            return []  # no page: a logo, one session of many
        rows = ROWS.get(f"{section}/{word}") or ROWS.get(word)
        assert rows, f"Say in tests/browser/sitemap.py which rows “{word}” are."
        return [str(row.pk) for row in rows(self.account)]


def audiences(world: World) -> list[Audience]:
    """Everybody of the story, those who see most first; rows for them to look at."""
    furnish(world)
    switched = world.client(world.ann)
    place = f"/a/{world.acme.pk}/switch/"
    assert switched.post(place, {"customer": world.beta.pk}).status_code == 302
    return [
        Audience("reseller", world.client(world.ann), world.acme, world.ann),
        Audience("owner", world.client(world.olga), world.root, world.olga),
        Audience("switched", switched, world.beta, world.ann),
        Audience("administrator", world.client(world.gil), world.gamma, world.gil),
        Audience("user", world.client(world.uli), world.acme, world.uli),
        Audience("signed-out", Client(), world.gamma),
    ]


LONG = "Gemeinnützige Gesellschaft zur Förderung des Fernsprechwesens an Elbe und Weser"
ODD_NAMES = (LONG, "مطعم الياسمين الدمشقي", "Raketenwerk 🚀 <script>", "=1+1 & Söhne")


def furnish(world: World) -> None:
    """Acme at work, Olga and Uli with a second factor; Gamma stays as bare as it was."""
    for person in (world.olga, world.uli):
        TOTPDevice.objects.create(user=person, name="app", confirmed=True)
    with subtree(world.acme):
        _furnish_acme(world, world.actor(world.ann))
        in_beta = world.actor(world.ann, world.beta)
        lines.create_line(
            customer=world.beta,
            values={"name": "Desk", "username": "beta1"},
            by=in_beta,
        )


def _sell_something(world: World) -> None:
    """A product with a price of its own on a plan, and a charge on a customer."""
    phone = Product.objects.create(
        owner=world.acme, name="Desk telephone", create_fee=89, currency="EUR"
    )
    ProductException.objects.create(plan=world.acme_plan, product=phone, create_fee=79)
    today = timezone.localdate()
    Charge.objects.create(
        owner=world.acme,
        account=world.beta.account,
        name="Router rental",
        amount=9,
        currency="EUR",
        starts_on=today,
        next_on=today,
    )


def _fail_to_charge(world: World) -> None:
    run = PeriodRun.objects.create(total=9, done=7, failed=2, on=timezone.localdate())
    error = "There is no exchange rate of USD yet: the system owner has to enter one."
    for customer in (
        world.acme,
        world.beta,
    ):  # the owner looks at one, Acme at the other
        RunFailure.objects.create(run=run, account=customer.account, error=error)


def _furnish_acme(world: World, by: Actor) -> None:
    acme, beta = world.acme, world.beta
    line, _password = lines.create_line(
        customer=acme, values={"name": "Reception", "username": "acme1"}, by=by
    )
    mailboxes.create_mailbox(
        customer=acme, values={"name": "Orders", "box_number": "200"}, by=by
    )
    numbers.update_number(number=world.numbers[0], values={"line": line}, by=by)
    people.resend_login_details(person=world.uli, by=by)
    custom = {"name": "footer_text", "value": "Call us: we are here."}
    customs.create_custom(plan=world.acme_plan, values=custom, by=by)
    _sell_something(world)
    _fail_to_charge(world)
    give(acme, 100)
    give(beta, 50)
    for customer in (acme, beta):
        account = BillingAccount.objects.get(customer=customer)
        charge(account, "12.50")
        issued(account)
        received = Received(Decimal(5), PaymentMethod.CASH, date(2026, 1, 2))
        payments.record_payment(
            account=account,
            received=received,
            key="sitemap",
            by=system_actor(account.provider),
        )
    statement = b"Date;Amount;Reference;Payer\n2026-01-02;7,50;Thank you;Beta\n"
    payment_imports.upload(file_name="bank.csv", data=statement, owner=acme, by=by)
    notes.write_note(customer=beta, subject="Opens at five", body="Bakers.", by=by)
    for position, name in enumerate(ODD_NAMES):
        customer = customer_services.create_normal(
            parent=acme,
            values={"name": name, "email": f"odd{position}@odd.test"},
            account={"plan": world.acme_plan},
            by=by,
        )
    tree.delete_customer(customer=customer, by=by)
