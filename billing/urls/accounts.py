"""Accounts and their ledgers, for the customer and for its provider; Help."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
