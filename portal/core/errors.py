"""Error pages that need more than a template, and refusals with a sentence of their own."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


class StaleError(Exception):
    """Somebody else saved the same thing since this form was opened."""


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)
