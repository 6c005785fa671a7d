"""Lines and figures: quantities, prices, nets and days that a document names."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.choices import EntryKind
from billing.documents import front
from billing.documents.figures import Figures
from billing.einvoice.cii import cii
from billing.einvoice.rules import Syntax, findings
from billing.einvoice.tree import plain
from billing.einvoice.ubl import ubl
from billing.invoicing.content import Content, thaw
from billing.invoicing.crediting import WHOLE
from billing.models import BillingAccount, Tax
from billing.services import credit_notes
from portal.core.actor import Actor
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.invoicing.pages import url_of
from tests.world import World

DAY = timedelta(days=1)
TODAY = local_date("Europe/Berlin")


@pytest.fixture(autouse=True)
def everywhere() -> object:
    with scopes_disabled():  # rows of several tenants are looked at
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme)
    return account_of(world.beta)


@pytest.fixture
def by(world: World) -> Actor:
    return world.actor(world.ann)


def is_valid(content: Content) -> bool:
    assert findings(ubl(content.document), Syntax.UBL) == []
    assert findings(cii(content.document), Syntax.CII) == []
    return True


def fees(account: BillingAccount, *nets: str) -> Content:
    """An invoice over a fee of each net, all for lines."""
    for net in nets:
        charge(account, net, kind=EntryKind.RECURRING, feature="line")
    return thaw(issued(account).content)


# --- Quantities and prices --------------------------------------------------------------


@pytest.mark.parametrize("detail", ["total", "summary"])
@pytest.mark.parametrize("nets", [("4.50", "3.75", "3.75"), ("4.00", "4.00", "4.00")])
def test_line_that_sums_up_is_one_at_the_sum(
    account: BillingAccount, detail: str, nets: tuple[str, ...]
) -> None:
    account_of(account.customer, invoice_detail=detail)
    content = fees(account, *nets)
    [line] = content.document.lines
    assert (line.quantity, line.price, line.net) == (1, 12, 12)
    assert is_valid(content)


@pytest.mark.parametrize(
    ("nets", "quantity", "price"),
    [
        (("4.50", "3.75", "3.75"), 1, "12.00"),
        (("4.00", "4.00", "4.00"), 3, "4.00"),
        (("-4.00", "-4.00"), -2, "4.00"),
    ],
)
def test_things_alike_are_counted_where_they_cost_the_same(
    account: BillingAccount, nets: tuple[str, ...], quantity: int, price: str
) -> None:
    account_of(account.customer, invoice_detail="destination")
    charge(account, "50.00", text="Router")
    content = fees(account, *nets)
    [line] = [each for each in content.document.lines if each.name != "Router"]
    assert (line.quantity, line.price) == (quantity, Decimal(price))
    assert is_valid(content)


# --- Days -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends_in", "delivered"), [(-10, -10), (0, 0), (1, None), (30, None)]
)
@pytest.mark.parametrize("treatment", ["", "K"])
def test_delivery_is_never_later_than_the_invoice(
    world: World,
    account: BillingAccount,
    ends_in: int,
    delivered: int | None,
    treatment: str,
) -> None:
    """What is paid in advance names its days alone, within the Union too (BR-IC-11)."""
    if treatment:
        account_of(world.beta, vat_treatment=treatment, tax_reference="ATU12345675")
    last = TODAY + ends_in * DAY
    charge(
        account,
        "10.00",
        kind=EntryKind.RECURRING,
        feature="line",
        period_start=last - 10 * DAY,
        period_end=last + DAY,
    )
    content = thaw(issued(account).content)
    document = content.document
    wanted = None if delivered is None else TODAY + delivered * DAY
    assert document.delivery.on == wanted
    assert document.period is not None
    assert document.period.last == last
    assert is_valid(content)


# --- Net and taxes ----------------------------------------------------------------------


@pytest.fixture
def levied(world: World, account: BillingAccount) -> BillingAccount:
    """32.80 net, 6.23 of VAT and a levy of 0.25."""
    levy = Tax.objects.create(
        owner=world.acme, name="Levy", amount=Decimal("0.25"), is_vat=False
    )
    charge(account, "32.80", taxes=((world.acme_tax, "6.23"), (levy, "0.25")))
    return account


def test_net_is_without_any_tax_wherever_it_stands(
    world: World, levied: BillingAccount, by: Actor
) -> None:
    invoice = issued(levied)
    content = thaw(invoice.content)
    printed = {
        each.label: each.amount for each in front.sums(content, Figures("en", "EUR"))
    }
    assert (invoice.net, invoice.tax) == (Decimal("32.80"), Decimal("6.48"))
    assert printed["Net"] == "32.80"
    page = world.client(world.ann).get(
        url_of(world.acme, "invoice-detail", pk=invoice.pk)
    )
    assert "€32.80 net, €6.48 tax" in page.content.decode()
    note = credit_notes.issue(
        invoice=invoice, wanted=WHOLE, reason="Fault", token="a", by=by
    ).note
    assert (note.net, note.tax) == (invoice.net, invoice.tax)
    assert is_valid(content)


# --- On the way into XML ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("100.600", "100.60"),
        ("100.625", "100.625"),
        ("40", "40"),
        ("40.00", "40.00"),
        ("0.002500", "0.0025"),
        ("1E+3", "1000"),
        ("-5.000", "-5.00"),
    ],
)
def test_no_zeros_are_written_after_the_second_place(value: str, written: str) -> None:
    assert plain(Decimal(value)) == written
