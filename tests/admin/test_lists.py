"""Every list and every row's page: there, searchable, quick, and without secrets."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db import connection
from django.db.models import BinaryField, Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import Customer, Mailbox, Person, SystemOptions
from portal.core.admin_base import COUNT_LIMIT, HIDDEN_FIELDS, INLINE_LIMIT
from portal.core.models import Session
from tests.admin.rows import MAKERS, SECRETS
from tests.world import World

MODELS = sorted(MAKERS, key=lambda model: model._meta.label)
ids = [model._meta.model_name for model in MODELS]
every_model = pytest.mark.parametrize("model", MODELS, ids=ids)
MOST_QUERIES = 30
TERMS = ["1", "ac", "acme telecom", "%", "'", "x" * 300, "مطعم", "192.0.2.1", "\x00"]


def list_url(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def row_url(row: Model) -> str:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return reverse(name, args=[row.pk])


def make(world: World, model: type[Model], numbers: range) -> list[Model]:
    return [MAKERS[model](world, at) for at in numbers]


def queries_of(client: Client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured]


def test_every_model_of_ours_has_its_list() -> None:
    ours = {
        model
        for name in ("customers", "billing", "rateplans", "core")
        for model in apps.get_app_config(name).get_models()
    }
    assert ours <= set(admin.site._registry)
    assert set(admin.site._registry) == set(MAKERS)


@every_model
def test_list_costs_the_same_for_two_and_for_ten_rows(
    world: World, staff: Client, model: type[Model]
) -> None:
    staff.get(list_url(model))  # what is asked once for each process
    make(world, model, range(2))
    few = queries_of(staff, list_url(model))
    make(world, model, range(2, 10))
    many = queries_of(staff, list_url(model))
    assert len(few) == len(many) <= MOST_QUERIES, "\n".join(many)


@every_model
def test_rows_are_never_counted_to_the_end(
    world: World, staff: Client, model: type[Model]
) -> None:
    make(world, model, range(2))
    queries = queries_of(staff, list_url(model))
    counts = [sql for sql in queries if "COUNT(*)" in sql]
    assert counts
    assert all("LIMIT" in sql for sql in counts)


@every_model
def test_any_list_takes_any_search(
    world: World, staff: Client, model: type[Model]
) -> None:
    make(world, model, range(2))
    for term in TERMS:
        assert staff.get(list_url(model), {"q": term}).status_code == 200, term


@every_model
def test_every_filter_works(world: World, staff: Client, model: type[Model]) -> None:
    make(world, model, range(2))
    response = staff.get(list_url(model))
    changelist = response.context["cl"]
    choices = [
        choice["query_string"]
        for spec in changelist.filter_specs
        for choice in spec.choices(changelist)
    ]
    for query in choices:
        assert staff.get(list_url(model) + query).status_code == 200, query


@pytest.mark.parametrize("model", [model for model in MODELS if model is not Session])
def test_a_rows_page_shows_no_secret_and_takes_few_queries(
    world: World, staff: Client, model: type[Model]
) -> None:
    row = make(world, model, range(2))[0]
    staff.get(row_url(row))
    with CaptureQueriesContext(connection) as captured:
        response = staff.get(row_url(row))
    page = response.content.decode()
    assert response.status_code == 200
    assert len(captured) <= MOST_QUERIES
    assert [name for name, secret in SECRETS.items() if secret in page] == []


def test_no_page_lists_a_field_that_may_hold_a_secret(world: World) -> None:
    request: Any = type("Request", (), {"user": world.olga})
    for model, model_admin in admin.site._registry.items():
        binary = {f.name for f in model._meta.fields if isinstance(f, BinaryField)}
        fieldsets = model_admin.get_fieldsets(request)
        shown: set[Any] = {*flatten_fieldsets(fieldsets), *model_admin.list_display}
        for inline in model_admin.inlines:
            shown |= set(inline.fields or ())
        assert not shown & (HIDDEN_FIELDS | binary), model


def test_sessions_show_no_key_anywhere(world: World, staff: Client) -> None:
    session = make(world, Session, range(1))[0]
    page = staff.get(list_url(Session)).content.decode()
    assert "person0" in page
    assert SECRETS["session"] not in page
    assert staff.get(row_url(session)).status_code == 404
    history = reverse("admin:core_session_history", args=[session.pk])
    assert staff.get(history).status_code == 404


def test_a_long_table_says_more_than(
    world: World, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.core.admin_base.COUNT_LIMIT", 3)
    make(world, Customer, range(5))
    page = staff.get(list_url(Customer)).content.decode()
    assert re.search(r"more than 3\s+customers", page)
    assert COUNT_LIMIT == 5000


def test_inner_lists_show_their_first_rows_only(world: World, staff: Client) -> None:
    Person.objects.bulk_create(
        Person(customer=world.acme, username=f"p{at}", role=world.uli.role)
        for at in range(INLINE_LIMIT + 20)
    )
    staff.get(row_url(world.acme))
    with CaptureQueriesContext(connection) as captured:
        response = staff.get(row_url(world.acme))
    formsets = response.context["inline_admin_formsets"]
    people = next(f for f in formsets if f.opts.model is Person)
    assert len(people.formset.forms) == INLINE_LIMIT
    assert len(captured) <= MOST_QUERIES


def test_customers_are_found_by_name_and_account_number(
    world: World, staff: Client
) -> None:
    for term in ("gamma", "GAMMABAK", "100001"):
        page = staff.get(list_url(Customer), {"q": term}).content.decode()
        assert "Gamma Bakery" in page, term
    page = staff.get(list_url(Customer), {"q": "zzz"}).content.decode()
    assert "Gamma Bakery" not in page


def test_rows_of_a_customer_are_found_by_the_customers_name(
    world: World, staff: Client
) -> None:
    make(world, Mailbox, range(2))
    page = staff.get(list_url(Mailbox), {"q": "customer 001"}).content.decode()
    assert "Box 1" in page
    assert "Box 0" not in page


def test_a_row_leads_to_its_page_in_the_portal(world: World, staff: Client) -> None:
    page = staff.get(row_url(world.gamma)).content.decode()
    url = reverse(
        "customers:customer-detail",
        kwargs={"account": world.root.pk, "pk": world.gamma.pk},
    )
    assert url in page
    assert "Open in the portal" in page


WRITABLE = {"region", "dialplan", "numberclass", "role", "rateplan", "tax", "timegroup"}


@every_model
def test_what_services_write_is_written_by_nothing_else(
    world: World, staff: Client, model: type[Model]
) -> None:
    """Posting by hand to a page that is read-only is refused."""
    name = str(model._meta.model_name)
    allowed = {"add", "change", "delete"} if name in WRITABLE else set()
    allowed |= {"number": {"add"}, "systemoptions": {"change"}}.get(name, set())
    row = MAKERS[model](world, 1)
    request: Any = type("Request", (), {"user": world.olga})
    for kind in ("add", "change", "delete"):
        may = getattr(admin.site._registry[model], f"has_{kind}_permission")
        assert may(request) == (kind in allowed), kind
        if kind not in allowed:
            arguments = [] if kind == "add" else [row.pk]
            page = reverse(
                f"admin:{model._meta.app_label}_{name}_{kind}", args=arguments
            )
            response = staff.post(page, {"post": "yes"})
            assert response.status_code in {403, 404}, kind
            assert model._default_manager.filter(pk=row.pk).exists()


def test_system_options_stay_one_row(staff: Client) -> None:
    assert SystemOptions.objects.count() == 1
    page = staff.get(list_url(SystemOptions)).content.decode()
    assert "System options" in page
