"""Commerce » Taxes, Products, Currencies; charges of customers and plans; Actions » Purchase."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
