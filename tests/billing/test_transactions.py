"""Booking by hand: who may, how much, with which taxes, and what is taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from billing.choices import EntryKind
from billing.models import (
    BillingAccount,
    CallTime,
    LedgerEntry,
    Product,
    Tax,
    TaxLiability,
)
from billing.services.purchases import purchase
from billing.services.transactions import post_transaction, reverse_entry
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from tests.billing.tariffs import add, balance, item, price, remove, set_account
from tests.books import give
from tests.pages import errors_of, send
from tests.race import race
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere(db: None):
    with scopes_disabled():
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    """Beta's: post-paid with Acme, liable for its VAT of 19 %."""
    account = BillingAccount.objects.select_related("customer").get(customer=world.beta)
    TaxLiability.objects.create(account=account, tax=world.acme_tax)
    return account


def book(world: World, account: BillingAccount, **changes: Any) -> LedgerEntry:
    values: dict[str, Any] = {
        "account": account,
        "kind": EntryKind.CREDIT,
        "amount": Decimal(10),
        "reason": "Bank transfer",
        "is_tax_free": True,
        "ignores_limit": False,
        "key": "first",
        "by": world.actor(world.ann),
    }
    return post_transaction(**values | changes)


@pytest.mark.parametrize(
    ("kind", "amount", "is_tax_free", "net", "booked"),
    [
        (EntryKind.CREDIT, "10", True, "10", "10"),
        (EntryKind.CREDIT, "10", False, "10", "11.9"),
        (EntryKind.DEBIT, "10", True, "-10", "-10"),
        (EntryKind.DEBIT, "10.01", False, "-10.01", "-11.91"),
        (EntryKind.CORRECTION, "3", True, "3", "3"),
        (EntryKind.CORRECTION, "-3", True, "-3", "-3"),
    ],
)
def test_kind_says_which_way_it_goes(
    world: World,
    account: BillingAccount,
    kind: EntryKind,
    amount: str,
    is_tax_free: bool,
    net: str,
    booked: str,
) -> None:
    give(world.beta, 100)
    entry = book(
        world, account, kind=kind, amount=Decimal(amount), is_tax_free=is_tax_free
    )
    account.refresh_from_db()
    assert (entry.kind, entry.net, entry.amount) == (
        kind,
        Decimal(net),
        Decimal(booked),
    )
    assert account.balance == 100 + Decimal(booked)
    assert entry.person == world.ann


@pytest.mark.parametrize(
    ("bill_type", "kind", "is_on_balance"),
    [
        (BillType.PREPAID, EntryKind.DEBIT, True),
        (BillType.POSTPAID, EntryKind.DEBIT, True),
        (BillType.PREPAID_CALLS, EntryKind.DEBIT, False),
        (BillType.PREPAID_CALLS, EntryKind.CREDIT, True),
        (BillType.PREPAID_CALLS, EntryKind.CORRECTION, True),
        (BillType.EXTERNAL, EntryKind.CREDIT, False),
        (BillType.NONE, EntryKind.CORRECTION, False),
    ],
)
def test_billing_type_says_whether_the_balance_moves(
    world: World,
    account: BillingAccount,
    bill_type: BillType,
    kind: EntryKind,
    is_on_balance: bool,
) -> None:
    BillingAccount.objects.filter(pk=account.pk).update(
        bill_type=bill_type, credit_limit=50
    )
    account.refresh_from_db()
    entry = book(world, account, kind=kind)
    assert entry.is_on_balance is is_on_balance


def test_same_key_is_booked_once(world: World, account: BillingAccount) -> None:
    first, second = book(world, account), book(world, account)
    account.refresh_from_db()
    assert first == second
    assert account.balance == 10
    assert AuditEvent.objects.filter(action="transaction.created").count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": Decimal(0)}, "amount"),
        ({"amount": Decimal(-1)}, "amount"),
        ({"amount": Decimal(0), "kind": EntryKind.CORRECTION}, "amount"),
        ({"amount": Decimal("0.001")}, "amount"),
        ({"amount": Decimal(10) ** 14}, "amount"),
        ({"reason": "  "}, "reason"),
        ({"kind": EntryKind.DEBIT}, "amount"),
    ],
)
def test_wrong_input_is_refused_at_its_field(
    world: World, account: BillingAccount, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        book(world, account, **changes)
    assert list(caught.value.error_dict) == [field]
    assert not LedgerEntry.objects.exists()


def test_debit_goes_beyond_the_credit_only_when_told(
    world: World, account: BillingAccount
) -> None:
    with pytest.raises(ValidationError, match="Raise its credit limit"):
        book(world, account, kind=EntryKind.DEBIT)
    book(world, account, kind=EntryKind.DEBIT, ignores_limit=True)
    account.refresh_from_db()
    assert account.balance == -10


@pytest.mark.parametrize(("maximum", "is_allowed"), [("9.99", False), ("10", True)])
def test_role_sets_the_most_one_may_book(
    world: World, account: BillingAccount, maximum: str, is_allowed: bool
) -> None:
    world.ann.role.transaction_maximum = Decimal(maximum)
    if is_allowed:
        assert book(world, account).amount == 10
        return
    with pytest.raises(ValidationError, match=r"at most €9\.99 at once; this is €10"):
        book(world, account)
    entry = give_and_find(world)
    with pytest.raises(ValidationError, match=r"at most €9\.99"):
        reverse_entry(
            entry=entry, account=account, reason="Wrong", by=world.actor(world.ann)
        )


def give_and_find(world: World, amount: str = "10") -> LedgerEntry:
    account = give(world.beta, amount)
    return LedgerEntry.objects.filter(account=account).latest("pk")


def test_taxes_count_towards_the_maximum(world: World, account: BillingAccount) -> None:
    world.ann.role.transaction_maximum = Decimal(11)
    with pytest.raises(ValidationError, match=r"€11\.90"):
        book(world, account, is_tax_free=False)


def test_only_the_provider_books(world: World, account: BillingAccount) -> None:
    below = BillingAccount.objects.get(customer=world.gamma)
    with pytest.raises(ValidationError, match="Only the provider"):
        book(world, below)
    with pytest.raises(PermissionDenied):
        book(world, account, by=world.actor(world.uli))


def test_switched_person_books_as_who_it_is(
    world: World, account: BillingAccount
) -> None:
    below = BillingAccount.objects.get(customer=world.gamma)
    actor = replace(
        world.actor(world.ann, world.beta), acting_as=world.ben, own=world.acme
    )
    entry = book(world, below, by=actor)
    assert (entry.person, entry.acting_as_name) == (world.ann, "Ben Braun")


def test_log_names_the_amount_as_people_write_it(
    world: World, account: BillingAccount
) -> None:
    entry = book(world, account, amount=Decimal("12.5"))
    event = AuditEvent.objects.get(object_id=entry.pk, action="transaction.created")
    assert event.object_name == "Bank transfer 12.50"


# ------------------------------------------------------------------------- taking back


@pytest.mark.parametrize(
    ("kind", "is_tax_free"),
    [
        (EntryKind.CREDIT, True),
        (EntryKind.CREDIT, False),
        (EntryKind.DEBIT, False),
    ],
)
def test_reversal_is_the_opposite_with_its_taxes(
    world: World, account: BillingAccount, kind: EntryKind, is_tax_free: bool
) -> None:
    entry = book(world, account, kind=kind, is_tax_free=is_tax_free, ignores_limit=True)
    Tax.objects.update(is_vat=False)
    reversal = reverse_entry(
        entry=entry, account=account, reason="Twice", by=world.actor(world.ann)
    )
    account.refresh_from_db()
    assert account.balance == 0
    assert (reversal.amount, reversal.net) == (-entry.amount, -entry.net)
    assert [(part.name, part.amount, True) for part in entry.taxes.all()] == [
        (part.name, -part.amount, part.is_vat) for part in reversal.taxes.all()
    ]
    assert reversal.reverses == entry
    assert reversal.description == "Twice (Bank transfer)"
    assert AuditEvent.objects.filter(action="transaction.reversed").count() == 1


def test_reversal_of_an_entry_beside_the_balance_stays_beside(
    world: World, account: BillingAccount
) -> None:
    BillingAccount.objects.filter(pk=account.pk).update(
        bill_type=BillType.PREPAID_CALLS
    )
    account.refresh_from_db()
    entry = book(world, account, kind=EntryKind.DEBIT)
    reversal = reverse_entry(
        entry=entry, account=account, reason="Wrong", by=world.actor(world.ann)
    )
    assert not reversal.is_on_balance
    assert reversal.balance_after == 0


def test_reversals_are_not_reversed(world: World, account: BillingAccount) -> None:
    by = world.actor(world.ann)
    entry = book(world, account)
    reversal = reverse_entry(entry=entry, account=account, reason="Wrong", by=by)
    with pytest.raises(ValidationError, match="cannot be taken back"):
        reverse_entry(entry=reversal, account=account, reason="Again", by=by)


@time_machine.travel("2026-11-10T12:00Z", tick=False)
def test_a_fee_is_not_taken_back_when_its_days_were_given_back(
    world: World, account: BillingAccount
) -> None:
    world.acme_plan.refund_on_removal = True
    world.acme_plan.save()
    price(world.acme_plan, 30)
    days = {"fees_from": date(2026, 1, 1), "billed_until": date(2026, 12, 1)}
    for customer in (world.acme, world.beta):
        set_account(customer, credit_limit=100, **days)
    account.liabilities.all().delete()
    by = world.actor(world.ann)
    for number in (1, 2):
        add(world.beta, item(number))
    remove(world.beta, item(1))
    assert balance(world.beta) == -22  # a day of the one, 21 days of the other
    first, second = account.entries.filter(kind=EntryKind.RECURRING).order_by("pk")
    refund = account.entries.get(kind=EntryKind.REFUND)

    def take_back(entry: LedgerEntry) -> LedgerEntry:
        return reverse_entry(entry=entry, account=account, reason="Wrong", by=by)

    with pytest.raises(ValidationError) as caught:
        take_back(first)
    assert refund.description in caught.value.messages[0]
    take_back(second)
    assert balance(world.beta) == -1
    take_back(refund)
    assert take_back(first).amount == 21
    assert balance(world.beta) == 0
    assert take_back(first).amount == 21  # it was before; this is no second one
    assert balance(world.beta) == 0


@pytest.mark.django_db(transaction=True)
def test_entry_is_reversed_once_by_two_at_once(
    world: World, account: BillingAccount
) -> None:
    entry = book(world, account)

    def reverse() -> LedgerEntry:
        with scopes_disabled():  # each thread has its own scope
            return reverse_entry(
                entry=LedgerEntry.objects.get(pk=entry.pk),
                account=account,
                reason="Wrong",
                by=world.actor(world.ann),
            )

    results = race(reverse, reverse, reverse, reverse)
    assert len({getattr(result, "pk", result) for result in results}) == 1, results
    assert isinstance(results[0], LedgerEntry), results
    account.refresh_from_db()
    assert account.balance == 0
    assert AuditEvent.objects.filter(action="transaction.reversed").count() == 1


# -------------------------------------------------------------------------------- pages


def address(world: World, page: str) -> str:
    return f"/a/{world.acme.pk}/commerce/customers/{world.beta.pk}/account/{page}"


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def test_page_books_and_leads_to_the_ledger(
    world: World, account: BillingAccount, ann: Client
) -> None:
    response = send(
        ann, address(world, "new/"), kind="credit", amount="25", reason="Paid"
    )
    assert response["Location"] == address(world, "")
    account.refresh_from_db()
    assert account.balance == 25


def test_double_click_books_once(
    world: World, account: BillingAccount, ann: Client
) -> None:
    url = address(world, "new/")
    token = ann.get(url).context["form_token"]
    typed = {"kind": "credit", "amount": "25", "reason": "Paid", "form_token": token}
    first, second = ann.post(url, typed), ann.post(url, typed)
    assert first.status_code == second.status_code == 302
    assert LedgerEntry.objects.count() == 1


def test_page_refuses_a_debit_beyond_the_credit(
    world: World, account: BillingAccount, ann: Client
) -> None:
    response = send(
        ann, address(world, "new/"), kind="debit", amount="25", reason="Work"
    )
    [refusal] = errors_of(response)["amount"]
    assert "Beta Voice" in refusal


@pytest.mark.parametrize(
    "reason", ["\u200b", "For \u202etnuocsid", "Two\nlines", "a\x07"]
)
def test_page_refuses_a_reason_with_signs_nobody_sees(
    world: World, account: BillingAccount, ann: Client, reason: str
) -> None:
    typed = {"kind": "credit", "amount": "1", "reason": reason}
    assert list(errors_of(send(ann, address(world, "new/"), **typed))) == ["reason"]
    page = f"ledger/{book(world, account).pk}/reverse/"
    assert list(errors_of(send(ann, address(world, page), reason=reason))) == ["reason"]


@pytest.mark.parametrize(
    "reason", ["[November] 支払い", "=5 %", "🎁", "\u0645\u200c\u0646"]
)
def test_page_takes_any_reason_one_can_read(
    world: World, account: BillingAccount, ann: Client, reason: str
) -> None:
    typed = {"kind": "credit", "amount": "1", "reason": reason}
    assert send(ann, address(world, "new/"), **typed).status_code == 302
    assert LedgerEntry.objects.get().description == reason


def test_page_refuses_what_no_account_can_hold(
    world: World, account: BillingAccount, ann: Client
) -> None:
    response = send(
        ann, address(world, "new/"), kind="credit", amount="9" * 16, reason="Paid"
    )
    [refusal] = errors_of(response)["amount"]
    assert "No account can hold this" in refusal


def test_page_refuses_a_minus_where_the_kind_has_the_sign(
    world: World, account: BillingAccount, ann: Client
) -> None:
    response = send(
        ann, address(world, "new/"), kind="debit", amount="-25", reason="Work"
    )
    assert errors_of(response) == {
        "amount": ["Enter it without a minus: the kind says which way it goes."]
    }


def test_customers_of_customers_are_booked_on_inside_their_provider(
    world: World, ann: Client
) -> None:
    place = f"/a/{world.acme.pk}/commerce/customers/{world.gamma.pk}/account/"
    assert ann.get(f"{place}new/").status_code == 404
    page = ann.get(place)
    assert page.status_code == 200
    assert not page.context["new_url"]


def test_page_takes_an_entry_back(
    world: World, account: BillingAccount, ann: Client
) -> None:
    entry = book(world, account)
    page = ann.get(address(world, f"ledger/{entry.pk}/"))
    assert page.context["reverse_url"] == address(world, f"ledger/{entry.pk}/reverse/")
    response = send(ann, page.context["reverse_url"], reason="Wrong customer")
    reversal = LedgerEntry.objects.get(reverses=entry)
    assert response["Location"] == address(world, f"ledger/{reversal.pk}/")
    again = ann.get(address(world, f"ledger/{entry.pk}/"))
    assert "reverse_url" not in again.context
    assert [link["text"] for link in again.context["links"]] == [reversal.description]


def test_page_says_why_an_entry_stays(
    world: World, account: BillingAccount, ann: Client
) -> None:
    entry = book(world, account)
    reverse_entry(
        entry=entry, account=account, reason="Wrong", by=world.actor(world.ann)
    )
    page = ann.get(address(world, f"ledger/{entry.pk}/reverse/"))
    assert "cannot be taken back" in page.context["refusal"]


@pytest.mark.parametrize(
    ("used", "told"),
    [
        (0, ["10 minutes of call time are taken away."]),
        (
            90,
            [
                "8 minutes of call time are taken away.",
                "A part of the call time was used already; it is paid back all the same.",
            ],
        ),
        (
            600,
            [
                "A part of the call time was used already; it is paid back all the same.",
            ],
        ),
    ],
)
def test_call_time_goes_with_the_purchase_that_is_taken_back(
    world: World, account: BillingAccount, ann: Client, used: int, told: list[str]
) -> None:
    BillingAccount.objects.filter(pk=account.pk).update(credit_limit=100)
    product = Product.objects.create(
        owner=world.acme,
        name="Talk",
        type="call_time",
        amount=300,
        create_fee=5,
        currency="EUR",
    )
    bought, other = (_purchased(world, product) for _time in range(2))
    CallTime.objects.filter(entry=bought).update(remaining=600 - used)
    url = address(world, f"ledger/{bought.pk}/reverse/")
    consequences = ann.get(url).context["consequences"]
    assert [text for text in consequences if "call time" in text] == told
    assert send(ann, url, reason="Wrong product").status_code == 302
    assert CallTime.objects.get(entry=bought).remaining == 0
    assert CallTime.objects.get(entry=other).remaining == 600
    account.refresh_from_db()
    assert account.balance == -10


def _purchased(world: World, product: Product) -> LedgerEntry:
    by = world.actor(world.ben)
    purchase(customer=world.beta, product=product, quantity=2, by=by)
    return LedgerEntry.objects.latest("pk")
