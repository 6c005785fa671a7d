"""Reports: /a/<account>/reports/..."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
