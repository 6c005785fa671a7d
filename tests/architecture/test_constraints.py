"""The database refuses what must not be, whoever writes it: each constraint once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing.models import (
    BillingAccount,
    PeriodRun,
    RunFailure,
    Seller,
    Tax,
    TaxLiability,
)
from customers.models import (
    Customer,
    Mailbox,
    Person,
    Role,
    Switch,
    SystemOptions,
    TelephoneLine,
    TimeGroup,
    TimeSpan,
)
from portal.core.models import OutgoingEmail
from portal.core.scope import scopes_disabled
from rateplans.models import CustomSetting, NumberClass, RatePlan
from tests.architecture.bills import BILLS
from tests.architecture.books import BOOKS
from tests.architecture.sales import SALES
from tests.world import World

OURS = {"customers", "billing", "rateplans", "core"}


def _set(row: Any, **values: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(**values)


def _again(row: Any, **values: Any) -> None:
    """The same row once more, as a new one."""
    row.pk = None
    for name, value in values.items():
        setattr(row, name, value)
    row.save(force_insert=True)


def _customer(world: World, **values: Any) -> None:
    path = f"{world.acme.path}999999."
    fresh = {"name": "Fresh", "account_number": "9", "path": path, **values}
    _again(Customer.objects.get(pk=world.beta.pk), **fresh)


def _line(world: World, **values: Any) -> None:
    fields = {"customer": world.beta, "name": "Desk", "password": "x", **values}
    TelephoneLine.objects.create(**fields)


def _span(**values: int) -> None:
    fields = {"first_day": 0, "last_day": 4, "begins": 480, "ends": 1080, **values}
    TimeSpan.objects.create(group=TimeGroup.objects.create(name="Office"), **fields)


def _account(world: World, **values: Any) -> None:
    _set(BillingAccount.objects.get(customer=world.beta), **values)


def _seller(world: World, **values: Any) -> None:
    Seller.objects.create(customer=world.acme, **values)


def _two_lines(world: World, first: dict[str, str], second: dict[str, str]) -> None:
    _line(world, **first)
    _line(world, **second)


def _two_mailboxes(world: World) -> None:
    for name in ("One", "Two"):
        Mailbox.objects.create(
            customer=world.beta, name=name, box_number="200", pin="x"
        )


def _two_pseudo_people(world: World) -> None:
    role = world.ann.role
    for name in ("[One]", "[Two]"):
        Person.objects.create(
            customer=world.beta, username=name, role=role, is_pseudo=True
        )


def _two_switches(world: World) -> None:
    for _time in range(2):
        Switch.objects.create(
            person=world.ann,
            session_key="s",
            customer=world.beta,
            acting_as=world.ben,
            expires_at=timezone.now() + timedelta(hours=1),
        )


def _liability_twice(world: World) -> None:
    account = BillingAccount.objects.get(customer=world.beta)
    for _time in range(2):
        TaxLiability.objects.create(account=account, tax=world.acme_tax)


def _mail(world: World, **values: Any) -> None:
    OutgoingEmail.objects.create(
        key="k",
        kind="login_details",
        customer=world.beta,
        to=["a@b.test"],
        sender="c@d.test",
        subject="s",
        text="t",
        status="sent",
        **values,
    )


def _custom(world: World, **values: Any) -> None:
    given = {"name": "footer_text", "value": "Call us", **values}
    CustomSetting.objects.create(plan=world.acme_plan, **given)


def _failure_twice(world: World) -> None:
    account = BillingAccount.objects.get(customer=world.beta)
    run = PeriodRun.objects.create()
    for _time in range(2):
        RunFailure.objects.create(run=run, account=account, error="x")


def _two_customs(world: World) -> None:
    for _time in range(2):
        _custom(world)


VIOLATIONS: dict[str, Callable[[World], None]] = {
    "customer_name_once": lambda w: _customer(w, name="ＢＥＴＡ  voice"),
    "customer_account_number_once_per_reseller": lambda w: _customer(
        w, account_number=w.beta.account_number
    ),
    "customer_tree_has_one_root": lambda w: _customer(w, parent=None),
    "customer_path_ends_with_its_id": lambda w: _set(w.beta, path="1.x."),
    "customer_lock_reason_only_when_locked": lambda w: _set(w.beta, lock_reason="why"),
    "customer_limits_from_minus_one": lambda w: _set(w.beta, concurrent_calls=-2),
    "line_username_once": lambda w: _two_lines(
        w, {"username": "a1"}, {"username": "A1"}
    ),
    "line_extension_once_per_customer": lambda w: _two_lines(
        w,
        {"username": "a1", "extension": "10"},
        {"username": "a2", "extension": "10"},
    ),
    "mailbox_number_once_per_customer": _two_mailboxes,
    "number_once": lambda w: _again(w.numbers[0], customer=w.rival),
    "number_is_e164": lambda w: _set(w.numbers[0], number="0305550100"),
    "person_username_once": lambda w: _set(w.ben, username="ANN@acme.test"),
    "person_one_pseudo_per_customer": _two_pseudo_people,
    "person_brackets_are_pseudo": lambda w: _set(w.ben, username="[Ben]"),
    "role_default_once": lambda w: _set(
        Role.objects.get(name="User"), default_for="pseudo"
    ),
    "role_transaction_maximum_is_not_negative": lambda w: _set(
        w.ann.role, transaction_maximum=-1
    ),
    "switch_open_once_per_session": _two_switches,
    "system_options_are_one_row": lambda w: _again(
        SystemOptions.objects.get(pk=1), pk=2
    ),
    "tax_name_once_per_owner": lambda w: _again(
        Tax.objects.get(pk=w.acme_tax.pk), name="vat"
    ),
    "tax_is_not_negative": lambda w: _set(w.acme_tax, rate=-1),
    "tax_vat_is_a_percentage": lambda w: _set(w.acme_tax, amount=1),
    "liability_once": _liability_twice,
    "account_amounts_not_negative": lambda w: _account(w, credit_limit=-1),
    "account_call_maximum_from_minus_one": lambda w: _account(w, call_maximum=-2),
    "account_affiliate_is_whole": lambda w: _account(w, affiliate_type="revenue"),
    "account_is_not_its_own_affiliate": lambda w: _account(
        w, affiliate=w.beta, affiliate_type="revenue", affiliate_percentage=5
    ),
    "account_is_not_its_own_provider": lambda w: _account(w, provider=w.beta),
    "account_endpoint_is_whole": lambda w: _account(w, endpoint_scheme="0088"),
    "account_exemption_has_a_reason": lambda w: _account(w, vat_treatment="E"),
    "seller_endpoint_is_whole": lambda w: _seller(w, endpoint_id="4012345000009"),
    "seller_has_one_bank_account": lambda w: _seller(
        w, iban="DE89370400440532013000", account_number="123"
    ),
    "seller_exemption_has_a_reason": lambda w: _seller(w, untaxed_category="E"),
    "seller_outside_vat_has_no_vat_id": lambda w: _seller(
        w, untaxed_category="O", vat_id="DE123456788"
    ),
    "number_class_name_once": lambda w: NumberClass(name="NORMAL").save(),
    "rate_plan_name_once_per_owner": lambda w: _again(
        RatePlan.objects.get(pk=w.acme_plan.pk), name="ACME BASIC"
    ),
    "rate_plan_archived_is_not_offered": lambda w: _set(
        w.acme_plan, offered_at_signup=True, archived_at=timezone.now()
    ),
    "time_span_days_in_order": lambda w: _span(first_day=1, last_day=0),
    "time_span_hours_in_order": lambda w: _span(begins=60, ends=60),
    "rate_plan_limits_from_minus_one": lambda w: _set(w.acme_plan, bulk_calls=-2),
    "one_open_run_per_day": lambda w: _again(PeriodRun.objects.create()),
    "failure_once_per_run": _failure_twice,
    "custom_setting_once_per_plan": _two_customs,
    "custom_setting_is_not_empty": lambda w: _custom(w, value=""),
    "email_sent_has_time": lambda w: _mail(w, sent_at=None),
    "email_sent_holds_no_secret": lambda w: _mail(
        w, sent_at=timezone.now(), secret="link"
    ),
    **BILLS,
    **BOOKS,
    **SALES,
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_database_refuses(world: World, name: str) -> None:
    with (
        scopes_disabled(),
        pytest.raises(IntegrityError) as refusal,
        transaction.atomic(),
    ):
        VIOLATIONS[name](world)
    assert refusal.value.__cause__ is not None
    assert refusal.value.__cause__.diag.constraint_name == name


def test_no_constraint_is_left_untested() -> None:
    names = {
        constraint.name
        for model in apps.get_models()
        if model._meta.app_label in OURS
        for constraint in model._meta.constraints
    }
    assert names == set(VIOLATIONS)
