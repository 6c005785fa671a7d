"""Settings » Invoicing."""

from django.urls import path

from billing.views import sellers

urlpatterns = [
    path("settings/invoicing/", sellers.SellerEdit.as_view(), name="seller"),
]
