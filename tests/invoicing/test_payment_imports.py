"""Importing statements of banks: what is sure, what people decide, and nothing twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone, translation

from billing.bank_matching import creditor_reference
from billing.choices import ImportLineState, InvoiceStatus
from billing.import_problems import Problem, kept, problem_text
from billing.models import (
    BillingAccount,
    Invoice,
    Payment,
    PaymentImport,
    PaymentImportLine,
)
from billing.services import import_booking, payment_imports, payments
from customers.services import tree
from portal.core.actor import Actor, system_actor
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.invoicing.test_payments import balance_of, pay
from tests.race import race
from tests.world import World

HEADER = "Buchungstag;Auftraggeber;Verwendungszweck;Betrag;Währung\n"


@pytest.fixture(autouse=True)
def everywhere() -> object:
    with scopes_disabled():  # rows are laid without a request
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme)
    return account_of(world.beta)


@pytest.fixture
def by(world: World) -> Actor:
    return world.actor(world.ann)


def bill(account: BillingAccount, amount: str, key: str = "request:1") -> Invoice:
    charge(account, amount)
    return issued(account, key)


def upload(world: World, by: Actor, *lines: str) -> PaymentImport:
    data = (HEADER + "".join(f"{line}\n" for line in lines)).encode()
    return payment_imports.upload(
        file_name="bank.csv", data=data, owner=world.acme, by=by
    )


def states(source: PaymentImport) -> list[str]:
    return list(source.lines.order_by("number").values_list("state", flat=True))


def book(source: PaymentImport, by: Actor) -> tuple[int, int]:
    """Book what is sure, as a worker does; how many lines were booked, and how many left."""
    before = list(source.lines.filter(state=ImportLineState.EXACT))
    import_booking.begin(source=source, by=by)
    while import_booking.work_on(source.pk, seconds=60):
        pass
    rows = PaymentImportLine.objects.filter(pk__in=[line.pk for line in before])
    booked = rows.filter(state=ImportLineState.BOOKED).count()
    return booked, len(before) - booked


def line_for(text: str, amount: str = "100,00", currency: str = "EUR") -> str:
    return f"01.02.2026;Beta Voice;{text};{amount};{currency}"


@pytest.mark.parametrize(
    ("line", "state", "problem"),
    [
        (line_for("RG {number}"), "exact", ""),
        (line_for("{reference}"), "exact", ""),
        (line_for("RG {number}", currency=""), "exact", ""),
        (line_for("RG {number}", "99,00"), "open", "€100.00 is open"),
        (line_for("RG {number}", currency="USD"), "open", "another currency"),
        (line_for("hello"), "open", "names no invoice"),
        (line_for("RG {number}", "-100,00"), "left", "outgoing money"),
        (line_for("RG {number}", "x"), "left", "cannot be read"),
        (line_for("{paid}"), "open", "nothing left to pay"),
        (line_for("{number} {other}"), "open", "several invoices"),
    ],
)
def test_lines_are_told_apart(
    world: World,
    account: BillingAccount,
    by: Actor,
    line: str,
    state: str,
    problem: str,
) -> None:
    paid = bill(account, "7", "request:0")
    pay(account, "7", by)
    invoice = bill(account, "100")
    other = bill(account, "30", "request:2")
    source = upload(
        world,
        by,
        line.format(
            number=invoice.number,
            reference=creditor_reference(invoice.number),
            paid=paid.number,
            other=other.number,
        ),
    )
    [found] = source.lines.all()
    assert found.state == state, found.problem
    assert problem in problem_text(found.problem)


def test_sure_lines_are_booked_together_and_once(
    world: World, account: BillingAccount, by: Actor
) -> None:
    first, second = bill(account, "100"), bill(account, "50", "request:2")
    lines = (line_for(first.number), line_for(second.number, "50,00"))
    source = upload(world, by, *lines)
    assert book(source, by) == (2, 0)
    assert book(source, by) == (0, 0)
    source.refresh_from_db()
    assert (source.is_booking, source.to_book) == (False, 2)
    assert set(Invoice.objects.values_list("status", flat=True)) == {InvoiceStatus.PAID}
    again = upload(world, by, *lines)
    assert states(again) == ["known", "known"]
    assert Payment.objects.count() == 2


def test_two_lines_for_one_invoice_are_not_both_sure(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    source = upload(world, by, line_for(invoice.number), line_for(f"{invoice.number}!"))
    assert states(source) == ["exact", "open"]


def test_invoice_paid_meanwhile_is_left_to_a_person(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    source = upload(world, by, line_for(invoice.number))
    pay(account, "40", by)
    assert book(source, by) == (0, 1)
    [line] = source.lines.all()
    assert (line.state, line.payment) == (ImportLineState.OPEN, None)
    assert "€60.00 is open" in problem_text(line.problem)


def test_numbers_of_other_providers_mean_nothing(
    world: World, account: BillingAccount, by: Actor
) -> None:
    seller(world.beta)
    theirs = bill(account_of(world.gamma), "100")
    source = upload(world, by, line_for(theirs.number))
    assert states(source) == ["open"]
    assert source.lines.get().invoice is None


def test_columns_of_unknown_names_are_chosen_by_a_person(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    data = f"a;b;c\n1.2.26;{invoice.number};100,00\n".encode()
    source = payment_imports.upload(
        file_name="x.csv", data=data, owner=world.acme, by=by
    )
    assert (source.columns, states(source)) == ({}, ["new"])
    columns = {"day": 0, "text": 1, "amount": 2}
    payment_imports.choose_columns(source=source, columns=columns, by=by)
    assert states(source) == ["exact"]
    book(source, by)
    with pytest.raises(ValidationError, match="can no longer be changed"):
        payment_imports.choose_columns(source=source, columns=columns, by=by)


@pytest.mark.django_db(transaction=True)
def test_one_line_in_two_files_booked_at_once_is_booked_once(world: World) -> None:
    seller(world.acme)
    account = account_of(world.beta)
    invoice = bill(account, "100")
    by = system_actor(world.acme)
    sources = [upload(world, by, line_for(invoice.number)) for _file in range(2)]

    def booking(source: PaymentImport) -> tuple[int, int]:
        with scopes_disabled():
            return book(source, by)

    found = race(lambda: booking(sources[0]), lambda: booking(sources[1]))
    assert sorted(found) == [(0, 1), (1, 0)]
    assert sorted(states(sources[0]) + states(sources[1])) == ["booked", "known"]
    assert Payment.objects.get().amount == 100
    assert balance_of(account) == 0


def test_statements_of_which_nothing_was_booked_go_with_their_account(
    world: World, by: Actor
) -> None:
    source = payment_imports.upload(
        file_name="bank.csv",
        data=(HEADER + line_for("hello")).encode(),
        owner=world.gamma,
        by=system_actor(world.gamma),
    )
    tree.delete_customer(customer=world.gamma, by=world.actor(world.ben))
    tree.purge_customer(customer=world.gamma, by=world.actor(world.ben))
    assert not PaymentImport.objects.filter(pk=source.pk).exists()


# --- Workers --------------------------------------------------------------------------


def bills(account: BillingAccount, count: int) -> list[str]:
    """The lines that pay so many invoices of 1.00 each."""
    found = [bill(account, "1", f"request:{n}") for n in range(count)]
    return [line_for(invoice.number, "1,00") for invoice in found]


def test_killed_worker_leaves_its_line_to_another(
    world: World, account: BillingAccount, by: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = upload(world, by, *bills(account, 3))
    import_booking.begin(source=source, by=by)
    real, calls = payments.record_payment, []

    def killed(**values: Any) -> Payment:
        payment = real(**values)
        calls.append(payment.amount)
        if len(calls) == 2:
            raise SystemExit  # after the payment is written, before the line says so
        return payment

    with monkeypatch.context() as patch:
        patch.setattr(payments, "record_payment", killed)
        with pytest.raises(SystemExit):
            import_booking.work_on(source.pk, seconds=60)
    assert states(source) == ["booked", "exact", "exact"]
    assert Payment.objects.count() == 1
    assert import_booking.work_on(source.pk, seconds=60) is False
    assert states(source) == ["booked"] * 3
    assert Payment.objects.count() == 3
    assert balance_of(account) == 0


@pytest.mark.django_db(transaction=True)
def test_workers_beside_each_other_book_each_line_once(world: World) -> None:
    seller(world.acme)
    account = account_of(world.beta)
    by = system_actor(world.acme)
    source = upload(world, by, *bills(account, 8))

    def working() -> None:
        with scopes_disabled():
            import_booking.begin(source=source, by=by)  # pressed by each of them, too
            while import_booking.work_on(source.pk, seconds=60):
                pass

    assert race(working, working, working) == [None] * 3
    assert states(source) == ["booked"] * 8
    assert Payment.objects.count() == 8
    assert AuditEvent.objects.filter(action="payment.import_begun").count() == 1
    assert balance_of(account) == 0


def test_stopped_booking_goes_on_when_it_is_begun_again(
    world: World, account: BillingAccount, by: Actor
) -> None:
    source = upload(world, by, *bills(account, 2))
    import_booking.begin(source=source, by=by)
    import_booking.stop(source=source, by=by)
    assert import_booking.work_on(source.pk, seconds=60) is False
    assert states(source) == ["exact", "exact"]
    assert book(source, by) == (2, 0)


def test_message_about_a_statement_that_has_gone_is_passed_over(world: World) -> None:
    assert import_booking.work_on(0, seconds=60) is False


def test_worker_turns_to_other_tasks_after_its_time(
    world: World, account: BillingAccount, by: Actor
) -> None:
    source = upload(world, by, *bills(account, 2))
    import_booking.begin(source=source, by=by)
    assert import_booking.work_on(source.pk, seconds=-1) is True
    assert states(source) == ["exact", "exact"]


def test_sweep_calls_workers_to_what_nobody_works_on(
    world: World,
    account: BillingAccount,
    by: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[int] = []
    monkeypatch.setattr(
        import_booking, "announce", lambda _task, pk, **_more: called.append(pk)
    )
    source = upload(world, by, *bills(account, 1))
    import_booking.call_workers_again()
    assert called == []  # nobody asked for it
    import_booking.begin(source=source, by=by)
    import_booking.call_workers_again()
    assert set(called) == {source.pk}
    PaymentImport.objects.update(worked_at=timezone.now())
    called.clear()
    import_booking.call_workers_again()
    assert called == []
    PaymentImport.objects.update(worked_at=timezone.now() - import_booking.QUIET)
    import_booking.call_workers_again()
    assert set(called) == {source.pk}


def test_line_with_unexpected_trouble_keeps_no_other_waiting(
    world: World, account: BillingAccount, by: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = upload(world, by, *bills(account, 2))
    real = payments.record_payment

    def troubled(**values: Any) -> Payment:
        if not Payment.objects.exists():
            return real(**values)
        raise ZeroDivisionError

    monkeypatch.setattr(payments, "record_payment", troubled)
    assert book(source, by) == (1, 1)
    assert states(source) == ["booked", "open"]
    assert "unexpected" in problem_text(source.lines.get(state="open").problem)


def test_columns_stay_while_lines_are_booked(
    world: World, account: BillingAccount, by: Actor
) -> None:
    source = upload(world, by, *bills(account, 1))
    import_booking.begin(source=source, by=by)
    with pytest.raises(ValidationError, match="can no longer be changed"):
        payment_imports.choose_columns(source=source, columns=source.columns, by=by)


def test_roles_maximum_holds_for_what_workers_book(
    world: World, account: BillingAccount, by: Actor
) -> None:
    role = world.ann.role
    role.transaction_maximum = Decimal(5)
    role.save()
    first, second = bill(account, "5"), bill(account, "6", "request:2")
    lines = (line_for(first.number, "5,00"), line_for(second.number, "6,00"))
    source = upload(world, by, *lines)
    assert book(source, by) == (1, 1)
    assert "at most €5.00" in problem_text(source.lines.get(state="open").problem)


# --- Pages ----------------------------------------------------------------------------


@pytest.fixture
def client(world: World) -> Client:
    return world.client(world.ann)


def at(world: World, path: str = "") -> str:
    return f"/a/{world.acme.pk}/commerce/payment-imports/{path}"


def sent(**values: Any) -> dict[str, Any]:
    return {"form_token": str(uuid4()), **values}


def test_statement_is_uploaded_seen_and_booked(
    world: World,
    client: Client,
    account: BillingAccount,
    django_capture_on_commit_callbacks: Any,
) -> None:
    invoice = bill(account, "100")
    text = HEADER + line_for(invoice.number) + "\n" + line_for("hello", "5,00") + "\n"
    file = SimpleUploadedFile("bank.csv", text.encode())
    answer = client.post(at(world, "new/"), sent(file=file))
    source = PaymentImport.objects.get()
    assert answer.headers["Location"] == at(world, f"{source.pk}/")
    assert not Payment.objects.exists()
    page = client.get(at(world, f"{source.pk}/")).content.decode()
    assert invoice.number in page
    question = client.get(at(world, f"{source.pk}/book/")).content.decode()
    assert "1 payment is recorded: €100.00." in question
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(at(world, f"{source.pk}/book/"), sent())
    assert answer.headers["Location"] == at(world, f"{source.pk}/")
    assert Payment.objects.get().amount == 100
    page = client.get(at(world, f"{source.pk}/")).content.decode()
    assert 'id="import-progress"' not in page
    assert Payment.objects.get().person_name == world.ann.display_name
    assert client.get(at(world)).status_code == 200


@pytest.mark.parametrize("content", [b"", b"nothing", b"%PDF\x00", b"a;b\n"])
def test_other_files_are_refused_with_a_reason(
    world: World, client: Client, content: bytes
) -> None:
    file = SimpleUploadedFile("bank.csv", content)
    answer = client.post(at(world, "new/"), sent(file=file))
    assert answer.status_code == 422
    assert answer.context["form"].errors["file"]
    assert not PaymentImport.objects.exists()


def test_columns_are_asked_for_where_nobody_knows_them(
    world: World, client: Client, account: BillingAccount
) -> None:
    invoice = bill(account, "100")
    file = SimpleUploadedFile("x.csv", f"a;b;c\n1.2.26;{invoice.number};100\n".encode())
    client.post(at(world, "new/"), sent(file=file))
    source = PaymentImport.objects.get()
    url = at(world, f"{source.pk}/columns/")
    assert client.get(at(world, f"{source.pk}/")).headers["Location"] == url
    assert "Columns to choose" in client.get(at(world)).text
    assert invoice.number in client.get(url).content.decode()
    wrong = sent(day="0", amount="0", text="1", payer="", currency="")
    assert client.post(url, wrong).status_code == 422
    right = sent(day="0", amount="2", text="1", payer="", currency="")
    assert client.post(url, right).status_code == 302
    assert states(source) == ["exact"]
    assert "Columns to choose" not in client.get(at(world)).text


@pytest.mark.parametrize(
    ("target", "other", "settled", "balance"),
    [
        ("invoice", "", "60", "0"),
        ("account", "", "60", "0"),
        ("other", "{number}", "60", "0"),
        ("other", "100001", "60", "0"),
        ("leave", "", "0", "0"),
    ],
)
def test_person_decides_about_a_line(
    world: World,
    client: Client,
    account: BillingAccount,
    by: Actor,
    target: str,
    other: str,
    settled: str,
    balance: str,
) -> None:
    invoice = bill(account, "100")
    source = upload(world, by, line_for("thanks", "60,00"))
    [line] = source.lines.all()
    url = at(world, f"{source.pk}/rows/{line.pk}/")
    choices = dict(client.get(url).context["form"].fields["target"].choices)
    chosen = next(key for key in choices if key.startswith(target))
    data = sent(target=chosen, other=other.format(number=invoice.number))
    assert client.post(url, data).status_code == 302
    invoice.refresh_from_db()
    assert invoice.settled == Decimal(settled)
    assert balance_of(account) == Decimal(balance)


@pytest.mark.parametrize("other", ["", "9999-1", "100009"])
def test_unknown_numbers_are_refused(
    world: World, client: Client, account: BillingAccount, by: Actor, other: str
) -> None:
    source = upload(world, by, line_for("thanks"))
    url = at(world, f"{source.pk}/rows/{source.lines.get().pk}/")
    answer = client.post(url, sent(target="other", other=other))
    assert answer.status_code == 422
    assert "other" in answer.context["form"].errors
    assert not PaymentImportLine.objects.filter(state=ImportLineState.BOOKED).exists()


def test_booked_line_says_so(
    world: World, client: Client, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    source = upload(world, by, line_for(invoice.number))
    book(source, by)
    line = source.lines.get()
    url = at(world, f"{source.pk}/rows/{line.pk}/")
    payment = f"/a/{world.acme.pk}/commerce/payments/{line.payment_id}/"
    assert client.get(url).headers["Location"] == payment
    page = client.get(at(world, f"{source.pk}/")).text
    assert (payment in page, world.beta.name in page) == (True, True)


@pytest.mark.parametrize("target", ["other", "leave"])
def test_form_that_is_old_by_now_says_what_a_colleague_did(
    world: World, client: Client, account: BillingAccount, by: Actor, target: str
) -> None:
    first, second = bill(account, "100"), bill(account, "50", "request:2")
    [line] = upload(world, by, line_for("thanks")).lines.all()
    import_booking.book_line(line=line, account=account, invoice=first, by=by)
    url = at(world, f"{line.source_id}/rows/{line.pk}/")
    answer = client.post(url, sent(target=target, other=second.number))
    assert answer.status_code == 422
    assert "already been booked for Beta Voice" in answer.text
    second.refresh_from_db()
    assert second.settled == 0


def test_line_left_out_by_hand_is_taken_up_again(
    world: World, client: Client, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    source = upload(world, by, line_for("thanks"), line_for("wages", "-5,00"))
    line, outgoing = source.lines.order_by("number")
    import_booking.leave_out(line=line, by=by)
    url = at(world, f"{source.pk}/rows/{line.pk}/")
    assert client.get(url).context["refusal"] == ""
    data = sent(target="other", other=invoice.number)
    assert client.post(url, data).status_code == 302
    assert states(source) == ["booked", "left"]
    url = at(world, f"{source.pk}/rows/{outgoing.pk}/")
    page = client.get(url).text
    assert page.count("outgoing money") == 1
    assert "wages" in page
    assert "-€5.00" in page
    assert 'name="target"' not in page
    answer = client.post(url, sent(target="leave"))
    assert answer.status_code == 422


def test_reason_is_told_in_the_language_of_who_reads(
    world: World, client: Client, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    source = upload(world, by, line_for(invoice.number, "99,00"), line_for("hello"))
    last = source.lines.order_by("number").last()
    PaymentImportLine.objects.filter(pk=last.pk).update(problem="As it was said once.")
    [line] = source.lines.exclude(pk=last.pk)
    type(world.ann).objects.filter(pk=world.ann.pk).update(language="de")
    with translation.override("en"):  # a request leaves its own language behind
        pages = [
            client.get(at(world, f"{source.pk}/{path}")).text
            for path in ("", f"rows/{line.pk}/")
        ]
    for page in pages:
        assert "is open on invoice" not in page
        assert "100,00" in page
    assert "As it was said once." in pages[0]


@pytest.mark.parametrize("sign", ["x", '"', "ä"])
def test_reason_that_is_too_long_is_cut(sign: str) -> None:
    row = kept(Problem.ALL, numbers=sign * 5000)
    assert len(row) <= 200  # what the column holds
    assert f"It pays all of {sign * 10}" in problem_text(row)


@pytest.mark.parametrize("is_refused", [False, True])
def test_line_of_a_payment_taken_back_is_booked_again_unless_the_money_went_back(
    world: World, account: BillingAccount, by: Actor, is_refused: bool
) -> None:
    bill(account, "100")
    [line] = upload(world, by, line_for("thanks")).lines.all()
    for _time in range(2):
        import_booking.book_line(line=line, account=account, invoice=None, by=by)
        line.refresh_from_db()
        assert line.payment is not None
        payments.reverse_payment(
            payment=line.payment, reason="slip", is_refused=is_refused, by=by
        )
        line.refresh_from_db()
        if is_refused:
            assert line.state == ImportLineState.BOOKED
            return
        assert (line.state, line.payment_id) == (ImportLineState.OPEN, None)
        assert "slip" in problem_text(line.problem)
    again = upload(world, by, line_for("thanks")).lines.get()
    assert again.state == ImportLineState.OPEN  # not "booked before"
    import_booking.book_line(line=again, account=account, invoice=None, by=by)
    assert Payment.objects.filter(reversed_at=None).count() == 1
    with pytest.raises(ValidationError, match="booked before"):
        import_booking.book_line(line=line, account=account, invoice=None, by=by)


@pytest.mark.parametrize(
    ("amount", "currency", "state"),
    [
        ("150,00", "EUR", "exact"),
        ("150,00", "", "exact"),
        ("150,00", "USD", "open"),
        ("149,99", "EUR", "open"),
        ("180,00", "EUR", "open"),  # with a third one that it does not name
    ],
)
def test_line_that_pays_all_that_it_names_is_sure(
    world: World,
    account: BillingAccount,
    by: Actor,
    amount: str,
    currency: str,
    state: str,
) -> None:
    oldest = bill(account, "30", "request:0")
    named = [bill(account, "100"), bill(account, "50", "request:2")]
    text = "RG {} und {}".format(*(invoice.number for invoice in named))
    source = upload(world, by, line_for(text, amount, currency))
    assert states(source) == [state]
    if state != "exact":
        return
    assert book(source, by) == (1, 0)
    for invoice in (oldest, *named):
        invoice.refresh_from_db()
    assert [each.settled for each in (oldest, *named)] == [0, 100, 50]


@pytest.mark.parametrize(("owners", "is_sure"), [((1, 1), True), ((1, 2), False)])
def test_what_two_customers_owe_is_no_sure_sum(
    owners: tuple[int, int], is_sure: bool
) -> None:
    named = [
        payment_imports._Open(pk, f"2026-{pk}", Decimal(50), "EUR", owner, "", "")
        for pk, owner in enumerate(owners, start=1)
    ]
    line = PaymentImportLine(amount=Decimal(100), currency="EUR")
    payment_imports._match(line, named, set())
    assert (line.state == ImportLineState.EXACT) == is_sure
    again = PaymentImportLine(amount=Decimal(100), currency="EUR")
    payment_imports._match(again, named, {2})  # another line pays one of them
    assert again.state == ImportLineState.OPEN


def test_sum_that_is_no_longer_open_is_left_to_a_person(
    world: World, account: BillingAccount, by: Actor
) -> None:
    first, second = bill(account, "100"), bill(account, "50", "request:2")
    source = upload(world, by, line_for(f"{first.number} {second.number}", "150,00"))
    pay(account, "10", by)
    assert book(source, by) == (0, 1)
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("payer", "text", "is_suggested"),
    [
        ("Beta Voice", "thanks", True),
        ("BETA  VOICE", "thanks", True),
        ("Somebody", "account {number}", True),
        ("Somebody", "account 9{number}", False),
        ("Beta Voices", "thanks", False),
    ],
)
def test_all_that_a_named_customer_has_open_is_suggested(
    world: World,
    client: Client,
    account: BillingAccount,
    by: Actor,
    payer: str,
    text: str,
    is_suggested: bool,
) -> None:
    bill(account, "100")
    bill(account, "50", "request:2")
    text = text.format(number=world.beta.account_number)
    source = upload(world, by, f"01.02.2026;{payer};{text};150,00;EUR")
    [line] = source.lines.all()
    assert line.state == ImportLineState.OPEN
    is_named = "all that Beta Voice has open" in problem_text(line.problem)
    assert is_named == is_suggested
    form = client.get(at(world, f"{source.pk}/rows/{line.pk}/")).context["form"]
    first, _label = form.fields["target"].choices[0]
    if is_suggested:
        assert first == f"account:{account.pk}"
        assert "all its open invoices" in _label


@pytest.mark.parametrize(
    "amount", ["9" * 15 + ",00", "9" * 30 + ",00", "1," + "1" * 40, "9" * 100_000]
)
def test_amounts_that_no_account_has_are_a_problem_of_their_line(
    world: World, client: Client, by: Actor, amount: str
) -> None:
    source = upload(world, by, line_for("thanks", amount), line_for("hello"))
    assert states(source) == ["left", "open"]
    assert client.get(at(world, f"{source.pk}/")).status_code == 200


def test_page_follows_booking_until_it_ends(
    world: World, client: Client, account: BillingAccount, by: Actor
) -> None:
    source = upload(world, by, *bills(account, 3))
    import_booking.begin(source=source, by=by)
    url = at(world, f"{source.pk}/")
    page = client.get(url).content.decode()
    part = client.get(f"{url}progress/").content.decode()
    for shown in (page, part):
        assert 'id="import-progress"' in shown
        assert "0 of 3 lines" in shown
    assert f"{url}book/" not in page
    assert "being booked already" in client.get(f"{url}book/").content.decode()
    while import_booking.work_on(source.pk, seconds=60):
        pass
    assert client.get(f"{url}progress/").headers["HX-Refresh"] == "true"
    assert 'id="import-progress"' not in client.get(url).content.decode()


def test_booking_is_stopped_by_its_button(
    world: World, client: Client, account: BillingAccount, by: Actor
) -> None:
    source = upload(world, by, *bills(account, 2))
    import_booking.begin(source=source, by=by)
    assert client.post(at(world, f"{source.pk}/stop/")).status_code == 302
    source.refresh_from_db()
    assert not source.is_booking
    assert states(source) == ["exact", "exact"]


def test_foreign_statements_are_not_found(
    world: World, client: Client, account: BillingAccount
) -> None:
    seller(world.rival)
    theirs = payment_imports.upload(
        file_name="bank.csv",
        data=(HEADER + line_for("hello")).encode(),
        owner=world.rival,
        by=system_actor(world.rival),
    )
    for path in ("", "columns/", "book/", "progress/"):
        assert client.get(at(world, f"{theirs.pk}/{path}")).status_code == 404
    assert client.post(at(world, f"{theirs.pk}/stop/")).status_code == 404


@pytest.mark.parametrize("lines", [1, 6])
def test_list_and_page_need_as_many_queries_for_many_lines(
    world: World,
    client: Client,
    account: BillingAccount,
    by: Actor,
    django_assert_max_num_queries: Any,
    lines: int,
) -> None:
    source = upload(world, by, *(line_for(f"hello {n}") for n in range(lines)))
    for path in ("", f"{source.pk}/"):
        with django_assert_max_num_queries(30):
            assert client.get(at(world, path)).status_code == 200
