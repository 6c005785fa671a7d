"""Commerce » Invoices, the tab of a customer, Reports » Invoices: what they list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from billing.choices import InvoiceStatus as S
from billing.invoice_selectors import amount_of
from billing.invoice_statuses import SHOWN_TO_CUSTOMERS
from billing.models import Invoice
from billing.services import invoice_status
from customers.models import Customer
from portal.core import audit
from portal.core.scope import scopes_disabled
from portal.core.tables import PAGE_SIZE
from tests.customers.test_create_customer import _create
from tests.invoicing.bills import seller
from tests.invoicing.pages import invoice_of, numbers_of, said_by, text_of, url_of
from tests.world import World

LISTS = {
    "invoice-list": "acme",
    "customer-invoices": "acme",
    "own-invoice-list": "beta",
}


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def ann(world: World) -> Client:
    """Works at Acme, which invoices Beta."""
    return world.client(world.ann)


@pytest.fixture
def ben(world: World) -> Client:
    """Works at Beta: its invoices are from Acme, and it invoices Gamma."""
    return world.client(world.ben)


@pytest.fixture
def corner(world: World) -> Customer:
    """Another customer of Acme."""
    customer: Customer = _create(
        world, values={"name": "Corner Shop", "email": "corner@shop.test"}
    )
    return customer


def acme(world: World, query: str = "") -> str:
    return url_of(world.acme, "invoice-list") + query


def own(world: World, query: str = "") -> str:
    return url_of(world.beta, "own-invoice-list") + query


def test_list_has_what_the_account_issued_and_nothing_else(
    world: World, ann: Client, ben: Client, corner: Customer
) -> None:
    first = invoice_of(world.beta)
    second = invoice_of(corner)
    below = invoice_of(world.gamma)
    assert numbers_of(ann.get(acme(world))) == [second.number, first.number]
    assert numbers_of(ben.get(url_of(world.beta, "invoice-list"))) == [below.number]


def test_tab_of_a_customer_has_only_its_own(
    world: World, ann: Client, corner: Customer
) -> None:
    first = invoice_of(world.beta)
    invoice_of(corner)
    invoice_of(world.gamma)
    page = ann.get(url_of(world.acme, "customer-invoices", pk=world.beta.pk))
    assert numbers_of(page) == [first.number]


def test_tab_of_a_customers_customer_shows_nothing_of_its_invoices(
    world: World, ann: Client
) -> None:
    invoice_of(world.gamma)
    page = ann.get(url_of(world.acme, "customer-invoices", pk=world.gamma.pk))
    assert numbers_of(page) == []
    assert "Invoice now" not in text_of(page)


def test_customers_see_what_was_sent_to_them(world: World, ben: Client) -> None:
    seen = []
    for status in S:
        if status == S.PENDING:
            continue
        invoice = invoice_of(world.beta, name=status, status=status)
        if status in SHOWN_TO_CUSTOMERS:
            seen.append(invoice.number)
    assert sorted(numbers_of(ben.get(own(world)))) == sorted(seen)


def test_own_list_names_no_customer(world: World, ben: Client) -> None:
    invoice_of(world.beta)
    columns = [column.key for column in ben.get(own(world)).context["table"].columns]
    assert columns == ["number", "date", "due", "total", "open", "status"]


def test_refused_payments_stand_among_what_waits_for_somebody(
    world: World, ann: Client
) -> None:
    for name in ("1", "2"):
        invoice_of(world.beta, name=name, status=S.PAYMENT_REFUSED)
    [found] = ann.get(acme(world)).context["attention"]()
    assert found["label"] == "2 payments refused"
    assert found["url"] == acme(world, "?status=payment_refused")
    assert len(numbers_of(ann.get(found["url"]))) == 2


@pytest.mark.parametrize("page", ["own-invoice-list", "own-invoice-detail"])
def test_own_invoices_need_the_permission_for_reports(world: World, page: str) -> None:
    role = world.uli.role
    role.permissions = [each for each in role.permissions if each != "reports"]
    role.save()
    kwargs = {"pk": 1} if page.endswith("detail") else {}
    url = url_of(world.acme, page, **kwargs)
    assert world.client(world.uli).get(url).status_code == 403


@pytest.fixture
def three(world: World, corner: Customer) -> dict[str, str]:
    """Numbers of a due invoice of 11, a queued one of 22, both Beta's; a paid one of 33."""
    found = {
        "due": invoice_of(world.beta, "11.00", name="a", status=S.DUE),
        "queued": invoice_of(world.beta, "22.00", name="b", status=S.QUEUED),
        "paid": invoice_of(corner, "33.00", name="c", status=S.PAID),
    }
    return {name: invoice.number for name, invoice in found.items()}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?status=due", ["due"]),
        ("?status=review", ["queued"]),
        ("?status=open", ["due"]),
        ("?status=cancelled", []),
        ("?type=invoice", ["paid", "queued", "due"]),
        ("?type=credit_note", []),
        ("?occasion=request", ["paid", "queued", "due"]),
        ("?occasion=period", []),
        ("?since={today}", ["paid", "queued", "due"]),
        ("?since={tomorrow}", []),
        ("?until={today}", ["paid", "queued", "due"]),
        ("?until={yesterday}", []),
        ("?q=26-00002", ["queued"]),
        ("?q=2", ["queued"]),
        ("?q=-0000", ["paid", "queued", "due"]),
        ("?q=corner", ["paid"]),
        ("?q=CORNER+shop", ["paid"]),
        ("?q=beta", ["queued", "due"]),
        ("?q=22.00", ["queued"]),
        ("?q=22,00", ["queued"]),
        ("?q=33", ["paid"]),
        ("?q=gamma", []),
        ("?q=beta&status=due", ["due"]),
        ("?sort=number", ["due", "queued", "paid"]),
        ("?sort=-number", ["paid", "queued", "due"]),
        ("?sort=total", ["due", "queued", "paid"]),
        ("?sort=-total", ["paid", "queued", "due"]),
        ("?sort=date", ["due", "queued", "paid"]),
        ("?sort=date&since={today}", ["due", "queued", "paid"]),
    ],
)
def test_list_is_filtered_searched_and_sorted(
    world: World, ann: Client, three: dict[str, str], query: str, found: list[str]
) -> None:
    today = Invoice.objects.earliest("pk").issued_on
    assert today is not None
    day = timedelta(days=1)
    query = query.format(today=today, tomorrow=today + day, yesterday=today - day)
    shown = numbers_of(ann.get(acme(world, query)))
    assert shown == [three[name] for name in found]


def test_search_of_more_than_many_still_finds(
    world: World, ann: Client, three: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From so many matches on they are not looked up first."""
    monkeypatch.setattr("billing.invoice_selectors.MANY_MATCHES", 1)
    shown = numbers_of(ann.get(acme(world, "?q=beta")))
    assert shown == [three["queued"], three["due"]]


@pytest.mark.parametrize(
    ("language", "text", "amount"),
    [
        ("en", "119", "119"),
        ("en", "119.00", "119"),
        ("en", "119,5", "119.5"),
        ("en", "1,234", "1234"),
        ("de", "1.234", "1234"),
        ("de", "1,234", "1.234"),
        ("en", "2026-00001", None),
        ("en", "1.2.3", None),
        ("en", "-5", None),
        ("en", "9" * 15, None),
        ("en", "", None),
    ],
)
def test_amounts_are_read_as_people_write_them(
    language: str, text: str, amount: str | None
) -> None:
    with translation.override(language):
        assert amount_of(text) == (None if amount is None else Decimal(amount))


@pytest.mark.parametrize("sort", ["-date", "number", "total", "-total"])
def test_pages_follow_each_other_without_gaps(
    world: World, ann: Client, sort: str
) -> None:
    made = [invoice_of(world.beta, name=str(each)) for each in range(PAGE_SIZE + 3)]
    page = ann.get(acme(world, f"?sort={sort}"))
    first = numbers_of(page)
    second = numbers_of(ann.get(acme(world) + page.context["table"].next_url))
    assert (len(first), len(second)) == (PAGE_SIZE, 3)
    assert sorted(first + second) == sorted(invoice.number for invoice in made)


def _rows(world: World, count: int) -> None:
    for each in range(count):
        invoice_of(world.beta, name=f"row {count} {each}", status=S.DUE)


@pytest.mark.parametrize("name", LISTS)
def test_lists_cost_the_same_for_one_row_and_for_25(world: World, name: str) -> None:
    account: Customer = getattr(world, LISTS[name])
    client = world.client(world.ann if account == world.acme else world.ben)
    kwargs = {"pk": world.beta.pk} if name == "customer-invoices" else {}
    url = url_of(account, name, **kwargs)
    costs = []
    _rows(world, 1)
    client.get(url)  # what is read once and kept is read now
    for more in (0, 24):
        _rows(world, more)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        costs.append(len(captured))
    assert costs[0] == costs[1]
    assert costs[1] <= 30


# --- Work on many -----------------------------------------------------------------------


@pytest.fixture
def queued(world: World) -> list[Invoice]:
    seller(world.acme, reviews_invoices=True)
    return [invoice_of(world.beta, name=str(each)) for each in range(3)]


def statuses() -> list[str]:
    return list(Invoice.objects.order_by("pk").values_list("status", flat=True))


def test_ticked_ones_are_approved_and_sent(
    world: World, ann: Client, queued: list[Invoice]
) -> None:
    url = url_of(world.acme, "invoice-bulk") + "?status=queued"
    rows = [invoice.pk for invoice in queued[:2]]
    page = ann.post(url, {"action": "approve", "row": rows}, follow=True)
    assert said_by(page) == ["2 invoices approved."]
    assert page.redirect_chain[-1][0] == acme(world, "?status=queued")
    assert statuses() == [S.APPROVED, S.APPROVED, S.QUEUED]
    page = ann.post(url, {"action": "take_back", "row": rows[0]}, follow=True)
    assert said_by(page) == ["Approval of 1 invoice withdrawn."]
    page = ann.post(url, {"action": "send", "row": rows}, follow=True)
    assert said_by(page) == ["1 invoice is on its way."]
    assert statuses() == [S.QUEUED, S.DUE, S.QUEUED]
    page = ann.post(url, {"action": "send", "row": rows}, follow=True)
    assert said_by(page) == ["None of them is approved and waiting to be sent."]


@pytest.mark.parametrize("action", ["", "delete"])
def test_unknown_work_changes_nothing(
    world: World, ann: Client, queued: list[Invoice], action: str
) -> None:
    url = url_of(world.acme, "invoice-bulk")
    rows = [invoice.pk for invoice in queued]
    ann.post(url, {"action": action, "row": [*rows, "x", ""]})
    assert statuses() == [S.QUEUED] * 3


def test_foreign_ones_cannot_be_ticked(
    world: World, ben: Client, queued: list[Invoice]
) -> None:
    url = url_of(world.beta, "invoice-bulk")
    ben.post(url, {"action": "approve", "row": [each.pk for each in queued]})
    eve = world.client(world.eve)
    eve.post(
        url_of(world.rival, "invoice-bulk"),
        {"action": "approve", "row": [each.pk for each in queued]},
    )
    assert statuses() == [S.QUEUED] * 3


def test_all_that_the_filters_leave_are_approved_and_sent(
    world: World, ann: Client, queued: list[Invoice], corner: Customer
) -> None:
    other = invoice_of(corner, name="other")
    assert other.status == S.QUEUED
    url = url_of(world.acme, "invoice-approve-all") + "?q=beta"
    page = ann.get(url)
    assert "3 waiting invoices are approved." in text_of(page)
    done = ann.post(url, {"form_token": page.context["form_token"]}, follow=True)
    assert said_by(done) == ["3 invoices approved."]
    assert statuses() == [*[S.APPROVED] * 3, S.QUEUED]
    url = url_of(world.acme, "invoice-send-all")
    page = ann.get(url)
    done = ann.post(url, {"form_token": page.context["form_token"]}, follow=True)
    assert said_by(done) == ["3 invoices are on their way."]
    assert statuses() == [*[S.DUE] * 3, S.QUEUED]


def test_all_are_worked_on_in_batches_that_are_kept(
    world: World,
    ann: Client,
    queued: list[Invoice],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(invoice_status, "BATCH", 2)

    def everything(name: str) -> list[str]:
        url = url_of(world.acme, name)
        token = ann.get(url).context["form_token"]
        return said_by(ann.post(url, {"form_token": token}, follow=True))

    assert everything("invoice-approve-all") == ["3 invoices approved."]
    record = audit.record_each
    calls: list[str] = []

    def failing(action: str, *args: Any, **values: Any) -> None:
        calls.append(action)
        if len(calls) == 2:
            raise ZeroDivisionError
        record(action, *args, **values)

    monkeypatch.setattr(audit, "record_each", failing)
    with pytest.raises(ZeroDivisionError):
        everything("invoice-send-all")
    assert statuses() == [S.DUE, S.DUE, S.APPROVED]
    assert everything("invoice-send-all") == ["1 invoice is on its way."]
    assert statuses() == [S.DUE] * 3


def test_second_click_on_all_changes_and_says_nothing(
    world: World, ann: Client, queued: list[Invoice]
) -> None:
    url = url_of(world.acme, "invoice-approve-all")
    data = {"form_token": ann.get(url).context["form_token"]}
    assert said_by(ann.post(url, data, follow=True)) == ["3 invoices approved."]
    assert said_by(ann.post(url, data, follow=True)) == []


@pytest.mark.parametrize("name", ["invoice-approve-all", "invoice-send-all"])
def test_nothing_to_do_is_said(world: World, ann: Client, name: str) -> None:
    page = ann.get(url_of(world.acme, name))
    assert "None of the invoices listed" in text_of(page)
    assert 'type="submit">Approve' not in text_of(page)


def test_what_waits_for_somebody_stands_above_the_list(
    world: World, ann: Client, queued: list[Invoice]
) -> None:
    assert "3 to approve" in text_of(ann.get(acme(world)))
    assert "3 to approve" not in text_of(ann.get(acme(world, "?status=queued")))


def test_list_says_when_each_is_due(world: World, ann: Client) -> None:
    invoice = invoice_of(world.beta, status=S.DUE)
    assert isinstance(invoice.due_on, date)
    assert invoice.due_on.isoformat() in text_of(ann.get(acme(world)))


def test_buttons_for_all_are_there_while_some_wait(
    world: World, ann: Client, queued: list[Invoice]
) -> None:
    approve, send = (
        url_of(world.acme, f"invoice-{name}-all") for name in ("approve", "send")
    )
    page = text_of(ann.get(acme(world)))
    assert approve in page
    assert send not in page
    Invoice.objects.filter(pk__in=[each.pk for each in queued]).update(
        status=S.APPROVED
    )
    page = text_of(ann.get(acme(world)))
    assert approve not in page
    assert send in page
