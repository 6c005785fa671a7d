"""What every request passes first: the answer to load balancers, and whose address it is."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from pytest_django import Settings

from portal.core.middleware import source_address


@pytest.mark.django_db
def test_load_balancer_is_answered_whatever_the_host(client: Client) -> None:
    response = client.get("/healthz", headers={"host": "10.0.0.7:9999"})
    assert (response.status_code, response.content) == (200, b"ok")
    assert response.cookies == {}
    assert client.get("/login/", headers={"host": "10.0.0.7"}).status_code == 400


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        (0, None, "192.0.2.9"),
        (0, "198.51.100.1", "192.0.2.9"),  # nobody asked for it: may be invented
        (1, None, "192.0.2.9"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.66, 198.51.100.1", "198.51.100.1"),  # the first one is a lie
        (2, "203.0.113.66, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (2, "198.51.100.1,10.0.0.1", "198.51.100.1"),
        (2, "10.0.0.1", "192.0.2.9"),  # it came round one of the proxies
        (1, " , ,", "192.0.2.9"),
    ],
)
def test_source_address_is_what_a_trusted_proxy_saw(
    settings: Settings, trusted: int, forwarded: str | None, expected: str
) -> None:
    settings.TRUSTED_PROXIES = trusted
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="192.0.2.9")
    assert source_address(request) == expected


def test_request_through_a_socket_has_no_address(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 0
    assert source_address(RequestFactory().get("/", REMOTE_ADDR="")) is None
