"""Settings: /a/<account>/settings/..."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
