"""What invoices say of a customer: typed by its provider, checked, shown, told in the log."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from billing.models import BillingAccount, Tax, TaxLiability
from customers.models import Customer
from customers.services import customers as services
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled, subtree
from tests.customers.features import refusals_of
from tests.customers.test_create_customer import _create
from tests.pages import errors_of, send
from tests.world import World

BUYER = {
    "legal_name": "Beta Voice GmbH",
    "register_number": "HRB 111111",
    "tax_reference": "de 111 111 117",
    "vat_treatment": "AE",
    "vat_reason": "§ 13b UStG",
    "endpoint_scheme": "9930",
    "endpoint_id": "111111117",
    "buyer_reference": "Filiale Altona",
    "order_reference": "PO-17",
}
KEPT = BUYER | {"tax_reference": "DE111111117", "endpoint_id": "DE111111117"}


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def edit_url(world: World) -> str:
    return f"/a/{world.acme.pk}/commerce/customers/{world.beta.pk}/edit/"


def detail_url(world: World) -> str:
    return f"/a/{world.acme.pk}/commerce/customers/{world.beta.pk}/"


def account_of(customer: Customer) -> BillingAccount:
    with scopes_disabled():
        return BillingAccount.objects.get(customer=customer)


def set_account(world: World, **values: Any) -> None:
    with scopes_disabled():
        BillingAccount.objects.filter(customer=world.beta).update(**values)


def told(account: BillingAccount) -> dict[str, str]:
    return {name: getattr(account, name) for name in BUYER}


# --- Typed and saved ------------------------------------------------------------------


def test_a_provider_says_what_a_customers_invoices_need(
    world: World, ann: Client
) -> None:
    assert send(ann, edit_url(world), **BUYER).status_code == 302
    assert told(account_of(world.beta)) == KEPT
    with scopes_disabled():
        event = AuditEvent.objects.get(action="customer.updated")
        changes = {each.field: (each.old, each.new) for each in event.changes.all()}
    assert changes["vat_treatment"] == (
        "Taxed as usual",
        "Reverse charge: the customer owes the VAT",
    )
    assert changes["endpoint_scheme"] == ("", "Germany: VAT ID")
    history = ann.get(f"{detail_url(world)}history/").content.decode()
    for label in ("Legal name", "VAT treatment", "Electronic address"):
        assert label in history


def test_a_new_customer_comes_with_it(world: World, ann: Client) -> None:
    url = f"/a/{world.acme.pk}/commerce/customers/new/normal/"
    answer = send(
        ann, url, name="Delta Trade", email="a@delta.test", **BUYER, country="DE"
    )
    assert answer.status_code == 302
    with scopes_disabled():
        delta = Customer.objects.get(name="Delta Trade")
    assert told(account_of(delta)) == KEPT


def test_a_new_customer_of_whom_nothing_is_said_is_an_ordinary_one(
    world: World, ann: Client
) -> None:
    url = f"/a/{world.acme.pk}/commerce/customers/new/normal/"
    assert send(ann, url, name="Delta", email="a@delta.test").status_code == 302
    with scopes_disabled():
        account = BillingAccount.objects.get(customer__name="Delta")
    assert account.vat_treatment == "S"
    assert not any(getattr(account, name) for name in set(BUYER) - {"vat_treatment"})


def test_saving_the_form_as_it_is_changes_nothing(world: World, ann: Client) -> None:
    send(ann, edit_url(world), **BUYER)
    assert send(ann, edit_url(world)).status_code == 302
    assert told(account_of(world.beta)) == KEPT
    with scopes_disabled():
        assert AuditEvent.objects.filter(action="customer.updated").count() == 1


def test_a_mandate_is_kept_and_shown_to_who_collects_by_it(
    world: World, ann: Client
) -> None:
    typed = {
        "payment_type": "direct_debit",
        "mandate_reference": "M-7",
        "mandate_signed_on": "2026-01-31",
        "debited_iban": "de02 1203 0000 0000 2020 51",
    }
    assert send(ann, edit_url(world), **typed).status_code == 302
    assert send(ann, edit_url(world)).status_code == 302  # as it is
    account = account_of(world.beta)
    assert account.mandate_signed_on == date(2026, 1, 31)
    assert account.debited_iban == "DE02120300000000202051"
    page = ann.get(detail_url(world))
    shown = {item["label"]: item["value"] for item in page.context["account_items"]}
    assert shown["Mandate reference"] == "M-7"
    assert shown["Debited IBAN"] == "DE02 1203 0000 0000 2020 51"
    gaps = {gap["url"].split("#")[1] for gap in page.context["readiness"]["gaps"]}
    assert "id_creditor_id" in gaps
    assert not gaps & {"id_mandate_reference", "id_debited_iban"}


# --- Refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"tax_reference": "DE111111118"}, "tax_reference", "mistyped digit"),
        ({"tax_reference": "DE11111111"}, "tax_reference", "This is not how"),
        ({"vat_treatment": "E"}, "vat_reason", "by which law"),
        ({"vat_treatment": "X"}, "vat_treatment", "not one of the available"),
        ({"endpoint_scheme": "0088"}, "endpoint_id", "Enter the address"),
        ({"endpoint_id": "9520000000011"}, "endpoint_scheme", "Choose what kind"),
        (
            {"endpoint_scheme": "0088", "endpoint_id": "9520000000012"},
            "endpoint_id",
            "mistyped digit",
        ),
        ({"legal_name": "\u202eHbmG"}, "legal_name", "invisible"),
        ({"buyer_reference": "x" * 101}, "buyer_reference", "at most 100"),
        ({"order_reference": "a\u200eb"}, "order_reference", "invisible"),
        ({"mandate_reference": "Möwe"}, "mandate_reference", "35 letters"),
        ({"mandate_signed_on": "9998-01-01"}, "mandate_signed_on", "in the future"),
        (
            {"debited_iban": "DE02 1203 0000 0000 2020 52"},
            "debited_iban",
            "mistyped digit",
        ),
    ],
)
def test_the_form_refuses_at_the_field_and_keeps_what_was_typed(
    world: World, ann: Client, changes: dict[str, str], field: str, sentence: str
) -> None:
    answer = send(ann, edit_url(world), register_number="HRB 1", **changes)
    assert sentence in " ".join(errors_of(answer)[field])
    form = answer.context["form"]
    assert form["register_number"].value() == "HRB 1"
    for name, typed in changes.items():
        assert form[name].value() == typed
    assert account_of(world.beta).register_number == ""


def test_all_that_is_wrong_is_said_at_once(world: World, ann: Client) -> None:
    wrong = {"tax_reference": "DE111111118", "endpoint_id": "1", "email": ""}
    errors = errors_of(send(ann, edit_url(world), **wrong))
    assert set(errors) == {"tax_reference", "endpoint_scheme", "email"}


@pytest.mark.parametrize(
    ("country", "reference", "kept"),
    [
        ("AT", "DE111111118", "DE111111118"),  # another country's: nobody checks it
        ("US", "EIN 12-3456789", "EIN 12-3456789"),
        ("GB", "XI 999 9999 73", "XI999999973"),
        ("DE", "27/123/45678", "27/123/45678"),
    ],
)
def test_other_tax_references_are_kept_as_they_are(
    world: World, ann: Client, country: str, reference: str, kept: str
) -> None:
    send(ann, edit_url(world), country=country, tax_reference=reference)
    assert account_of(world.beta).tax_reference == kept


def test_an_old_wrong_reference_does_not_refuse_other_changes(
    world: World, ann: Client
) -> None:
    set_account(world, tax_reference="DE111111118")
    assert send(ann, edit_url(world), buyer_reference="Desk").status_code == 302
    assert account_of(world.beta).buyer_reference == "Desk"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"tax_reference": "DE111111118"}, "tax_reference"),
        ({"endpoint_id": "1"}, "endpoint_scheme"),
        ({"vat_treatment": "E"}, "vat_reason"),
        ({"vat_treatment": "X"}, "vat_treatment"),
    ],
)
def test_services_refuse_too(world: World, values: dict[str, str], field: str) -> None:
    with subtree(world.acme):
        with pytest.raises(ValidationError) as caught:
            _create(world, account={"plan": world.acme_plan, **values})
        assert field in refusals_of(caught)
        with pytest.raises(ValidationError) as caught:
            services.update_customer(
                customer=world.beta,
                values={},
                account=values,
                expected_version=1,
                by=world.actor(world.ann),
            )
        assert field in refusals_of(caught)


# --- Shown ----------------------------------------------------------------------------


def test_the_customers_page_shows_it(world: World, ann: Client) -> None:
    send(ann, edit_url(world), **BUYER)
    page = ann.get(detail_url(world))
    shown = {item["label"]: item for item in page.context["buyer_items"]}
    assert shown["Legal name"]["value"] == "Beta Voice GmbH"
    assert shown["VAT treatment"]["help"] == "§ 13b UStG"
    assert shown["Electronic address"]["help"] == "Germany: VAT ID"
    assert page.context["readiness"]["gaps"] == []
    assert "Ready for electronic invoices" in page.content.decode()


def test_the_customers_page_lists_what_is_missing_with_links_to_the_fields(
    world: World, ann: Client
) -> None:
    set_account(world, vat_treatment="K")
    with scopes_disabled():
        Customer.objects.filter(pk=world.beta.pk).update(country="")
    page = ann.get(detail_url(world))
    gaps = page.context["readiness"]["gaps"]
    assert [gap["url"] for gap in gaps] == [
        f"{edit_url(world)}#id_country",
        f"{edit_url(world)}#id_tax_reference",
    ]
    form = ann.get(edit_url(world)).content.decode()
    for gap in gaps:
        assert gap["text"] in page.content.decode().replace("&#x27;", "'")
        assert f'id="{gap["url"].split("#")[1]}"' in form


def test_an_ordinary_customer_is_ready_and_told_what_peppol_wants(
    world: World, ann: Client
) -> None:
    sign = ann.get(detail_url(world)).context["readiness"]
    assert sign["kind"] == "success"
    assert [gap["url"].split("#")[1] for gap in sign["gaps"]] == [
        "id_endpoint_scheme",
        "id_buyer_reference",
    ]


# --- Probably not meant ---------------------------------------------------------------


def liable(world: World, **values: Any) -> Tax:
    with scopes_disabled():
        account = BillingAccount.objects.get(customer=world.beta)
        tax = Tax.objects.create(owner=world.acme, name="T 19 %", rate=19, **values)
        TaxLiability.objects.create(account=account, tax=tax)
    return tax


@pytest.mark.parametrize(
    ("treatment", "is_vat", "warned"),
    [("AE", True, True), ("E", True, True), ("S", True, False), ("AE", False, False)],
)
def test_vat_that_is_charged_against_the_treatment_is_warned_of(
    world: World, ann: Client, treatment: str, is_vat: bool, warned: bool
) -> None:
    tax = liable(world, is_vat=is_vat)
    set_account(world, vat_treatment=treatment, vat_reason="Law")
    sentence = "T 19 % is charged though"
    assert (sentence in ann.get(detail_url(world)).content.decode()) is warned
    check = f"/a/{world.acme.pk}/commerce/customers/new/warnings/"
    typed = {
        "plan": world.acme_plan.pk,
        "vat_treatment": treatment,
        "taxes": [tax.pk],
        "version": 1,
    }
    assert (sentence in ann.post(check, typed).content.decode()) is warned
    unticked = ann.post(check, typed | {"taxes": []}).content.decode()
    assert sentence not in unticked
