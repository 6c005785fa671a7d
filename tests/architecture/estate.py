"""What addresses are about: rows of every kind, at Acme and at Rival."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.utils import timezone

from billing.choices import PaymentMethod
from billing.models import BillingAccount, Charge, PeriodRun, Product, RunFailure, Tax
from billing.services import payment_imports, payments
from billing.services.payments import Received
from customers.models import Customer, Mailbox, Note, Number, Person, TelephoneLine
from portal.core.actor import system_actor
from portal.core.models import EmailAttachment, OutgoingEmail, StoredFile
from portal.core.scope import scopes_disabled
from rateplans.models import CustomSetting, NumberClass, RatePlan
from tests.books import give
from tests.invoicing.bills import charge, issued
from tests.world import World, build_world


def build_estate() -> World:
    """The world with rows of every kind at Acme and at Rival."""
    world = build_world()
    with scopes_disabled():
        furnish(world, world.acme, world.ann, "acme")
        furnish(world, world.rival, world.eve, "rival")
    return world


def invoice_something(customer: Customer, mark: str) -> None:
    """A charge on the customer's account, and its invoice."""
    account = BillingAccount.objects.get(customer=customer)
    charge(account, "1.00")
    issued(account, f"request:{mark}")


def pay_something(customer: Customer, mark: str) -> None:
    """A payment of the customer to its provider."""
    account = BillingAccount.objects.get(customer=customer)
    received = Received(Decimal(2), PaymentMethod.TRANSFER, date(2026, 1, 2))
    payments.record_payment(
        account=account,
        received=received,
        key=f"test:{mark}",
        by=system_actor(account.provider),
    )


def upload_something(owner: Customer, mark: str) -> None:
    """A bank statement with a line that somebody has to decide about."""
    data = f"Date;Amount;Reference\n2026-01-02;5,00;{mark}\n".encode()
    by = system_actor(owner)
    payment_imports.upload(file_name=mark, data=data, owner=owner, by=by)


def furnish(world: World, account: Customer, person: Person, mark: str) -> None:
    """One row of each kind in ``account``, and a customer below it with a note."""
    below = Customer.objects.filter(parent=account).first()
    if below is None:
        below = Customer.objects.get(pk=world.gamma.pk)
        below.pk, below.name = 10_000 + account.pk, f"Below {mark}"
        below.parent, below.path = account, f"{account.path}{below.pk}."
        below.save(force_insert=True)
        plan = world.rival_plan
        BillingAccount.objects.create(
            customer=below,
            provider=account,
            plan=plan,
            currency="EUR",
            bill_type=plan.bill_type,
        )
    give(account, 10)
    give(below, 10)
    upload_something(account, mark)
    for each in (account, below):
        invoice_something(each, mark)
        pay_something(each, mark)
    TelephoneLine.objects.create(
        customer=account, name=mark, username=f"line-{mark}", password="x"
    )
    Mailbox.objects.create(customer=account, name=mark, box_number="200", pin="x")
    Number.objects.create(
        number=f"+49405550{account.pk:03d}",
        customer=account,
        number_class=NumberClass.objects.get(name="Normal"),
    )
    email = OutgoingEmail.objects.create(
        key=mark,
        kind="login_details",
        customer=account,
        person=person,
        to=["a@b.test"],
        sender="c@d.test",
        subject=mark,
        text=mark,
        html=mark,
    )
    file = StoredFile.objects.create(content_type="application/pdf", data=b"x")
    EmailAttachment.objects.create(email=email, name=mark, file=file)
    Note.objects.create(
        customer=below, author=person, author_name=str(person), subject=mark
    )
    run = PeriodRun.objects.create(total=1, failed=1, finished_at=timezone.now())
    RunFailure.objects.create(run=run, account=below.account, error=mark)
    Tax.objects.create(owner=account, name=mark, rate=1)
    first_plan = RatePlan.objects.filter(owner=account).earliest("pk")
    CustomSetting.objects.create(plan=first_plan, name="footer_text", value=mark)
    Product.objects.create(owner=account, name=mark, currency="EUR", create_fee=1)
    Charge.objects.create(
        owner=account,
        account=below.account,
        name=mark,
        amount=1,
        currency="EUR",
        starts_on=date(2026, 1, 1),
        next_on=date(2026, 1, 1),
    )
