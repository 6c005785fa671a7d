"""A reseller's logo and colour, for pages of people who may not be signed in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from customers.branding import colour_digest, stylesheet
from customers.models import Company
from portal.core.scope import scopes_disabled

# The digest in the address changes with the content, so an answer is good for ever.
_for_ever = cache_control(public=True, immutable=True, max_age=365 * 24 * 60 * 60)


@login_not_required
@require_safe
@_for_ever
def logo(request: HttpRequest, customer: int, digest: str) -> HttpResponse:
    with scopes_disabled():  # brands are public
        company = Company.objects.filter(customer=customer, logo_hash=digest).first()
    if company is None or not company.logo:
        raise Http404
    return HttpResponse(bytes(company.logo), content_type="image/png")


@login_not_required
@require_safe
@_for_ever
def styles(request: HttpRequest, customer: int, digest: str) -> HttpResponse:
    with scopes_disabled():  # brands are public
        company = Company.objects.filter(customer=customer).defer("logo").first()
    if company is None or not company.colour or colour_digest(company.colour) != digest:
        raise Http404
    return HttpResponse(stylesheet(company.colour), content_type="text/css")
