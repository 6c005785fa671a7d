"""Features: /a/<account>/features/..."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
