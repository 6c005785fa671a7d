"""Pages without an account: signing in and out, passwords, the second factor."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
