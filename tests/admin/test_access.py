"""Who gets into the Django admin, and how."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from customers.models import Company, Switch
from tests.world import World

PAGES = [
    "admin:index",
    "admin:login",
    "admin:jsi18n",
    "admin:autocomplete",
    "admin:customers_customer_changelist",
    "admin:customers_role_add",
    "admin:core_auditevent_changelist",
]


@pytest.mark.parametrize("page", PAGES)
def test_strangers_are_sent_to_the_portals_own_sign_in(
    db: None, client: Client, page: str
) -> None:
    response = client.get(reverse(page))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("login"))


def test_strangers_come_back_to_the_page_they_wanted(db: None, client: Client) -> None:
    url = reverse("admin:customers_customer_changelist")
    response = client.get(url)
    assert response["Location"] == f"{reverse('login')}?next={url}"


@pytest.mark.parametrize("page", [*PAGES, "admin:logout"])
@pytest.mark.parametrize("name", ["ann", "uli", "gil"])
def test_for_everybody_else_it_is_not_there(world: World, name: str, page: str) -> None:
    client = world.client(getattr(world, name))
    assert client.get(reverse(page)).status_code == 404
    assert client.post(reverse(page)).status_code == 404


def test_an_unknown_address_looks_the_same_to_everybody_else(world: World) -> None:
    client = world.client(world.ann)
    assert client.get("/admin/nothing/like/it/").status_code == 404
    assert client.get("/admin/customers/").status_code == 404


def test_staff_are_let_in(staff: Client) -> None:
    response = staff.get(reverse("admin:index"))
    assert response.status_code == 200
    assert "Trunkline administration" in response.content.decode()


def test_staff_at_the_admins_own_sign_in_are_led_inside(staff: Client) -> None:
    response = staff.get(reverse("admin:login"))
    assert (response.status_code, response["Location"]) == (302, reverse("admin:index"))


def test_staff_without_the_second_factor_that_is_demanded_wait_outside(
    world: World,
) -> None:
    Company.objects.create(customer=world.root, requires_second_factor=True)
    client = world.client(world.olga)
    response = client.get(reverse("admin:index"))
    assert response.status_code == 302
    assert "second-factor" in response["Location"]
    TOTPDevice.objects.create(user=world.olga, name="app", confirmed=True)
    assert client.get(reverse("admin:index")).status_code == 200


def test_staff_whose_account_is_locked_are_signed_out(
    world: World, staff: Client
) -> None:
    world.olga.is_active = False
    world.olga.save()
    response = staff.get(reverse("admin:index"))
    assert response["Location"].startswith(reverse("login"))


def test_staff_signing_out_end_their_session(staff: Client) -> None:
    response = staff.post(reverse("admin:logout"))
    assert (response.status_code, response["Location"]) == (307, reverse("logout"))
    page = staff.get(reverse("admin:index")).content.decode()
    assert f'action="{reverse("logout")}"' in page


@pytest.mark.parametrize("name", ["password_change", "password_change_done"])
def test_passwords_are_changed_in_the_portal_only(staff: Client, name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(f"admin:{name}")
    assert staff.get("/admin/password_change/").status_code == 404


def test_models_of_packages_stay_out() -> None:
    labels = {model._meta.app_label for model in admin.site._registry}
    assert labels == {"customers", "billing", "rateplans", "core", "admin"}
    assert TOTPDevice not in admin.site._registry


def test_rows_are_never_deleted_in_bulk(staff: Client, world: World) -> None:
    for model_admin in admin.site._registry.values():
        request: Any = RequestFactory().get("/admin/")
        request.user = world.olga
        assert "delete_selected" not in model_admin.get_actions(request)


def test_permission_is_refused_as_not_found(world: World) -> None:
    request: Any = RequestFactory().get("/admin/")
    request.user = world.ann
    with pytest.raises(Http404):
        admin.site.has_permission(request)


def test_being_switched_changes_nothing_about_the_admin(world: World) -> None:
    client = world.client(world.olga)
    client.post(
        reverse(
            "customers:switch-open",
            kwargs={"account": world.root.pk},
        ),
        {"customer": world.acme.pk},
    )
    assert Switch.objects.filter(person=world.olga, ended_at=None).exists()
    assert client.get(reverse("admin:index")).status_code == 200
