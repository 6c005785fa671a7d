"""What the database refuses is told at the field it is about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from customers.models import Customer
from portal.core.integrity import at_field, constraint_message, refusals
from portal.core.scope import scopes_disabled
from tests.world import World

FIELDS = {"customer_name_once": "name"}


@pytest.fixture
def unscoped(world: World) -> Iterator[World]:
    with scopes_disabled():
        yield world


def test_known_constraint_is_an_error_at_its_field(unscoped: World) -> None:
    with (
        pytest.raises(ValidationError) as refusal,
        refusals(Customer, FIELDS),
    ):
        Customer.objects.filter(pk=unscoped.beta.pk).update(name="ACME telecom")
    message = constraint_message(Customer, "customer_name_once")
    assert refusal.value.message_dict == {"name": [message]}
    assert "already in use" in message


def test_transaction_goes_on_after_a_refusal(unscoped: World) -> None:
    beta = Customer.objects.filter(pk=unscoped.beta.pk)
    with pytest.raises(ValidationError), refusals(Customer, FIELDS):
        beta.update(name="Acme Telecom", description="half way")
    assert beta.get().description == ""
    beta.update(description="later")
    assert beta.get().description == "later"


def test_other_constraint_is_raised_as_it_is(unscoped: World) -> None:
    with pytest.raises(IntegrityError, match="limits"), refusals(Customer, FIELDS):
        Customer.objects.filter(pk=unscoped.beta.pk).update(concurrent_calls=-2)


def test_nothing_refused_is_kept(unscoped: World) -> None:
    with refusals(Customer, FIELDS):
        Customer.objects.filter(pk=unscoped.beta.pk).update(name="Delta")
    assert Customer.objects.get(pk=unscoped.beta.pk).name == "Delta"


def test_error_about_one_value_goes_to_its_field() -> None:
    with pytest.raises(ValidationError) as refusal, at_field("email"):
        raise ValidationError(["No address.", "Too long."])
    assert refusal.value.message_dict == {"email": ["No address.", "Too long."]}
