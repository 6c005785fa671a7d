"""Settings » Invoicing: what an account says of itself on the invoices it issues."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client

from billing.models import Seller
from billing.selectors import seller_of
from billing.services import sellers
from customers.models import Customer, Role
from portal.core.errors import StaleError
from portal.core.models import AuditEvent
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled, subtree
from portal.core.staleness import state_of
from tests.customers.features import refusals_of, without
from tests.pages import entries_of, errors_of, send
from tests.world import World

IBAN = "DE89370400440532013000"


def url_of(customer: Customer) -> str:
    return f"/a/{customer.pk}/settings/invoicing/"


def update(world: World, seen: str = "", **values: Any) -> Seller:
    with subtree(world.acme):
        return sellers.update_seller(
            customer=world.acme, values=values, seen=seen, by=world.actor(world.ann)
        )


def changes_of(customer: Customer) -> list[dict[str, tuple[str, str]]]:
    """What each event about the account's invoicing tells, oldest first."""
    with scopes_disabled():
        events = AuditEvent.objects.filter(action="seller.updated", customer=customer)
        return [
            {each.field: (each.old, each.new) for each in event.changes.all()}
            for event in events.order_by("pk")
        ]


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


# --- The service ----------------------------------------------------------------------


def test_an_account_that_said_nothing_has_the_defaults(world: World) -> None:
    with subtree(world.acme):
        seller = seller_of(world.acme)
    assert seller.pk is None
    assert (seller.tax_rounding, seller.untaxed_category) == ("per_total", "Z")
    assert not seller.reviews_invoices
    assert str(seller) == "Acme Telecom"


def test_the_first_change_makes_the_row_and_saying_nothing_does_not(
    world: World,
) -> None:
    update(world, legal_name="")
    with scopes_disabled():
        assert not Seller.objects.exists()
    update(world, legal_name="Acme Telecom GmbH", reviews_invoices=True)
    update(world, legal_name="Acme Telecom AG")
    with scopes_disabled():
        seller = Seller.objects.get(customer=world.acme)
    assert (str(seller), seller.reviews_invoices) == ("Acme Telecom AG", True)
    assert changes_of(world.acme) == [
        {"legal_name": ("", "Acme Telecom GmbH"), "reviews_invoices": ("no", "yes")},
        {"legal_name": ("Acme Telecom GmbH", "Acme Telecom AG")},
    ]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"vat_id": "DE123456789"}, "vat_id"),
        ({"vat_id": "123456788"}, "vat_id"),
        ({"iban": "DE89370400440532013001"}, "iban"),
        ({"iban": "DE89 3704 0044 0532 0130 00"}, "iban"),  # kept without spaces
        ({"iban": IBAN, "account_number": "1"}, "account_number"),
        ({"bic": "COBA"}, "bic"),
        ({"endpoint_scheme": "0088"}, "endpoint_id"),
        ({"endpoint_id": "9520000000011"}, "endpoint_scheme"),
        ({"endpoint_scheme": "0088", "endpoint_id": "1"}, "endpoint_id"),
        ({"endpoint_scheme": "1234", "endpoint_id": "1"}, "endpoint_scheme"),
        ({"untaxed_category": "E"}, "untaxed_reason"),
        ({"untaxed_category": "S"}, "untaxed_category"),
        ({"untaxed_category": "O", "vat_id": "DE123456788"}, "vat_id"),
        ({"books_currency": "XXX"}, "books_currency"),
        ({"tax_rounding": "never"}, "tax_rounding"),
        ({"contact_email": "nobody"}, "contact_email"),
        ({"legal_name": "\u202eHbmG"}, "legal_name"),
        ({"payment_terms": "x" * 301}, "payment_terms"),
        ({"legal_form": "GmbH\x07"}, "legal_form"),
    ],
)
def test_what_a_seller_cannot_say(
    world: World, values: dict[str, str], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        update(world, **values)
    assert field in refusals_of(caught)
    with scopes_disabled():
        assert not Seller.objects.exists()


def test_the_service_needs_rights_and_the_own_account(world: World) -> None:
    ann, eve = world.actor(world.ann), world.actor(world.eve)
    weak = [without(ann, right) for right in (Permission.SETTINGS, Permission.COMMERCE)]
    for by in (*weak, eve):
        with subtree(world.root), pytest.raises(PermissionDenied):
            sellers.update_seller(
                customer=world.acme, values={"legal_name": "X"}, by=by
            )


def test_who_saves_late_is_told(world: World) -> None:
    with subtree(world.acme):
        seen = state_of(seller_of(world.acme), sellers.FIELDS)
    update(world, seen, legal_name="First GmbH")
    with pytest.raises(StaleError):
        update(world, seen, legal_name="Second GmbH")


@pytest.mark.django_db(transaction=True)
def test_two_who_save_first_at_once_make_one_row(world: World) -> None:
    barrier, failures = Barrier(2), []

    def save(name: str) -> None:
        try:
            barrier.wait(timeout=10)
            update(world, legal_name=name)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=save, args=(name,)) for name in ("One", "Two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with scopes_disabled():
        assert Seller.objects.get().legal_name in {"One", "Two"}


# --- The page -------------------------------------------------------------------------


def test_a_reseller_says_what_invoices_need(world: World, ann: Client) -> None:
    answer = send(
        ann,
        url_of(world.acme),
        legal_name="Acme Telecom GmbH",
        vat_id="de 123-456-788",
        endpoint_scheme="0088",
        endpoint_id="952 0000 00001 1",
        iban="DE89 3704 0044 0532 0130 00",
        bic="cobadeff xxx",
        tax_rounding="per_line",
        books_currency="EUR",
        copy_invoices="on",
    )
    assert answer["Location"] == url_of(world.acme)
    with scopes_disabled():
        seller = Seller.objects.get(customer=world.acme)
    assert (seller.vat_id, seller.iban) == ("DE123456788", IBAN)
    assert (seller.bic, seller.endpoint_id) == ("COBADEFFXXX", "9520000000011")
    assert (seller.tax_rounding, seller.books_currency) == ("per_line", "EUR")
    assert seller.copy_invoices
    page = ann.get(url_of(world.acme)).content.decode()
    assert "DE89 3704 0044 0532 0130 00" in page, "shown in groups"
    assert "Ready for electronic invoices" in page
    assert "Also through the Peppol network" in page


def test_saving_the_page_as_it_is_changes_nothing(world: World, ann: Client) -> None:
    update(world, iban=IBAN, untaxed_category="E", untaxed_reason="§ 19 UStG")
    assert send(ann, url_of(world.acme)).status_code == 302
    assert len(changes_of(world.acme)) == 1


def test_the_page_lists_what_is_missing_with_links_to_the_fields(
    world: World, ann: Client
) -> None:
    with scopes_disabled():
        Customer.objects.filter(pk=world.acme.pk).update(country="")
    sign = ann.get(url_of(world.acme)).context["readiness"]
    assert [gap["url"] for gap in sign["gaps"]] == [
        f"/a/{world.acme.pk}/settings/company/#id_country",
        f"{url_of(world.acme)}#id_vat_id",
        f"{url_of(world.acme)}#id_iban",
    ]
    page = ann.get(url_of(world.acme)).content.decode()
    for gap in sign["gaps"]:
        if gap["url"].startswith(url_of(world.acme)):
            assert f'id="{gap["url"].split("#")[1]}"' in page


@pytest.fixture
def without_vat(world: World) -> None:
    with scopes_disabled():
        world.acme_tax.is_vat = False
        world.acme_tax.save()


@pytest.mark.parametrize("page", ["invoicing", "company"])
def test_who_has_set_up_no_vat_is_told(
    world: World, ann: Client, without_vat: None, page: str
) -> None:
    url = f"/a/{world.acme.pk}/settings/{page}/"
    update(world, vat_id="DE136695976", iban=IBAN)
    sign = ann.get(url).context["readiness"]
    assert sign["headline"] == "Ready for electronic invoices"
    assert sign["kind"] == "warning"
    assert sign["remark"]["text"].startswith("No VAT is set up")
    assert ann.get(sign["remark"]["url"]).status_code == 200
    assert "No VAT is set up" in ann.get(url).content.decode()
    with scopes_disabled():
        world.acme_tax.is_vat = True
        world.acme_tax.save()
    sign = ann.get(url).context["readiness"]
    assert (sign["kind"], "remark" in sign) == ("success", False)


@pytest.mark.parametrize(
    "values",
    [
        {"untaxed_category": "E", "untaxed_reason": "§ 19 UStG", "tax_number": "1"},
        {"untaxed_category": "O", "register_number": "HRB 1"},
    ],
)
def test_who_charges_no_vat_on_purpose_is_not_told(
    world: World, ann: Client, without_vat: None, values: dict[str, str]
) -> None:
    update(world, iban=IBAN, **values)
    assert "remark" not in ann.get(url_of(world.acme)).context["readiness"]


def test_company_and_invoicing_lead_to_each_other(world: World, ann: Client) -> None:
    company = f"/a/{world.acme.pk}/settings/company/"
    assert f'href="{url_of(world.acme)}"' in ann.get(company).content.decode()
    page = ann.get(url_of(world.acme)).content.decode()
    for other in (company, f"/a/{world.acme.pk}/settings/number-series/"):
        assert f'href="{other}"' in page
    gil = world.client(world.gil)
    of_a_customer = gil.get(f"/a/{world.gamma.pk}/settings/company/")
    assert of_a_customer.status_code == 200
    assert "readiness" not in of_a_customer.context


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"vat_id": "DE123456789"}, "vat_id", "mistyped digit"),
        ({"iban": "DE89 3704 0044 0532 0130 01"}, "iban", "mistyped digit"),
        ({"bic": "COBA"}, "bic", "8 or 11"),
        ({"endpoint_scheme": "0204", "endpoint_id": "1"}, "endpoint_id", "Leitweg"),
        ({"endpoint_scheme": "0088"}, "endpoint_id", "Enter the address"),
        ({"endpoint_id": "1"}, "endpoint_scheme", "Choose what kind"),
        ({"untaxed_category": "E"}, "untaxed_reason", "by which law"),
        (
            {"iban": "DE89 3704 0044 0532 0130 00", "account_number": "1"},
            "account_number",
            "not both",
        ),
    ],
)
def test_the_page_refuses_at_the_field_and_keeps_what_was_typed(
    world: World, ann: Client, changes: dict[str, str], field: str, sentence: str
) -> None:
    answer = send(ann, url_of(world.acme), trading_name="Kept", **changes)
    assert sentence in " ".join(errors_of(answer)[field])
    form = answer.context["form"]
    assert form["trading_name"].value() == "Kept"
    for name, typed in changes.items():
        assert form[name].value() == typed


def test_who_opened_the_page_before_others_saved_is_told_and_may_go_on(
    world: World, ann: Client
) -> None:
    entries = entries_of(ann.get(url_of(world.acme)), legal_name="Mine GmbH")
    update(world, legal_name="Theirs GmbH")
    answer = ann.post(url_of(world.acme), entries)
    assert answer.status_code == 422
    assert "Theirs GmbH" in answer.content.decode()
    again = ann.post(url_of(world.acme), entries_of(answer))
    assert again.status_code == 302
    with scopes_disabled():
        assert Seller.objects.get().legal_name == "Mine GmbH"


def test_the_page_is_for_those_who_have_customers(world: World) -> None:
    """Gil runs his account's settings but has no customers to invoice."""
    gil = world.client(world.gil)
    assert gil.get(url_of(world.gamma)).status_code == 403
    start = gil.get(f"/a/{world.gamma.pk}/", follow=True).content.decode()
    assert "/settings/company/" in start
    assert "/settings/invoicing/" not in start


def test_the_menu_leads_there(world: World, ann: Client) -> None:
    start = ann.get(f"/a/{world.acme.pk}/", follow=True).content.decode()
    assert url_of(world.acme) in start


def test_clerks_without_the_settings_are_kept_out(world: World) -> None:
    with scopes_disabled():
        role = Role.objects.get(pk=world.ann.role_id)
        role.permissions = [each for each in role.permissions if each != "settings"]
        role.save()
    client = world.client(world.ann)
    assert client.get(url_of(world.acme)).status_code == 403


def test_a_reseller_switched_into_says_it_for_the_customer(world: World) -> None:
    client = world.client(world.ann)
    client.post(f"/a/{world.acme.pk}/switch/", {"customer": world.beta.pk})
    assert send(client, url_of(world.beta), legal_name="Beta Ltd").status_code == 302
    with scopes_disabled():
        assert Seller.objects.get(customer=world.beta).legal_name == "Beta Ltd"
        assert not Seller.objects.filter(customer=world.acme).exists()
