"""No page costs more with more rows, and none costs much.

The addresses come from the URL map, so a new page is measured without being named here.
"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import BillingAccount, PeriodRun, RunFailure
from billing.services.periods import close_account
from customers.models import Mailbox, Note, Number, Person, TelephoneLine
from portal.core.models import OutgoingEmail
from portal.core.scope import scopes_disabled, subtree
from tests.architecture.estate import (
    furnish,
    invoice_something,
    pay_something,
    upload_something,
)
from tests.architecture.test_tenancy_matrix import INSIDE, ROUTES, _address, _method
from tests.books import give
from tests.customers.test_create_customer import _create
from tests.world import World

MOST_QUERIES = 30
VIEWS = {path: view for path, view in ROUTES if _method(view) == "get"}


def _section(path: str) -> str:
    """Commerce, features, ...; the start page is one of its own."""
    return path.removeprefix(INSIDE).partition("/")[0] or "start"


def _add(world: World, position: int) -> None:
    """One more row of each kind at Acme, and a customer with a note."""
    acme, mark = world.acme, f"more {position}"
    with subtree(acme):
        values = {"name": f"Kunde {position}", "email": "a@b.test"}
        customer = _create(world, values=values)
    Note.objects.create(customer=customer, author=world.ann, subject=mark)
    here = PeriodRun.objects.filter(failures__account__provider=acme).earliest("pk")
    for run in (here, PeriodRun.objects.create(finished_at=timezone.now())):
        RunFailure.objects.create(run=run, account=customer.account, error=mark)
    Note.objects.create(customer=world.beta, author=world.ann, subject=mark)
    role = world.uli.role
    person = Person.objects.create(customer=acme, username=f"p{position}", role=role)
    TelephoneLine.objects.create(
        customer=acme, name=mark, username=f"line{position}", password="x"
    )
    Mailbox.objects.create(
        customer=acme, name=mark, box_number=f"30{position}", pin="x"
    )
    Number.objects.create(
        number=f"+49405559{position:03d}",
        customer=acme,
        number_class=world.numbers[0].number_class,
    )
    give(acme, 1)
    give(world.beta, 1)
    upload_something(acme, mark)
    for each in (acme, world.beta, customer):
        invoice_something(each, mark)
        pay_something(each, mark)
    OutgoingEmail.objects.create(
        key=mark,
        kind="login_details",
        customer=acme,
        person=person,
        to=["a@b.test"],
        sender="c@d.test",
        subject=mark,
        text=mark,
        html=mark,
    )


@pytest.mark.parametrize("section", sorted(set(map(_section, VIEWS))))
def test_pages_cost_the_same_for_one_row_and_for_five(
    world: World, section: str
) -> None:
    """All pages of a section in one test: laying the rows takes longer than the pages."""
    client = world.client(world.ann)
    with scopes_disabled():  # rows are laid without a request
        furnish(world, world.acme, world.ann, "first")
        # As giving customers something does, so that all is told of the same period.
        close_account(BillingAccount.objects.get(customer=world.acme).pk)
    pages = [path for path in VIEWS if _section(path) == section]
    urls = {path: _address(path, world.acme, world.acme) for path in pages}
    # What is read once and kept is read now.
    opened = {path for path in pages if _is_opened(world, client, path, urls[path])}
    few = {path: _cost(client, urls[path]) for path in opened}
    with scopes_disabled():
        for position in range(4):
            _add(world, position)
    many = {path: _cost(client, urls[path]) for path in opened}
    assert few == many
    assert {path: cost for path, cost in many.items() if cost > MOST_QUERIES} == {}


def _is_opened(world: World, client: Client, path: str, url: str) -> bool:
    """Whether there is a page for Ann; if not, she hears what she should."""
    answer = client.get(url)
    if answer.status_code != 200:
        may = VIEWS[path].view_class.permission in world.ann.role.permissions
        assert answer.status_code in ({302, 404} if may else {403}), path
    return bool(answer.status_code == 200)


def _cost(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200, url
    return len(captured)
