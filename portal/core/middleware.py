"""What every request passes before it has an account."""

from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class HealthMiddleware:
    """Answer /healthz before host checks and sessions: load balancers ask by address."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path != "/healthz":
            return self.get_response(request)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return HttpResponse("ok", content_type="text/plain")


class SourceAddressMiddleware:
    """Sets ``request.source_ip``: the address that rules and the audit log go by."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.source_ip = source_address(request)  # type: ignore[attr-defined]
        return self.get_response(request)


def source_address(request: HttpRequest) -> str | None:
    """The client's address, believing as many proxies as the deployment has.

    Each proxy appends the address it saw, so with n trusted ones the n-th entry from the
    right was written by the outermost of them; anything further left may be invented.
    """
    address = request.META.get("REMOTE_ADDR") or None
    trusted = settings.TRUSTED_PROXIES
    if trusted:
        seen = [
            part.strip()
            for part in request.headers.get("X-Forwarded-For", "").split(",")
            if part.strip()
        ]
        if len(seen) >= trusted:
            address = seen[-trusted]
    return address
