"""Commerce: /a/<account>/commerce/customers/... and the switch, wherever one is."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
