"""Commerce » Taxes, Exchange rates, Products; charges; Actions » Purchase."""

from django.urls import path

from billing.views import taxes

TAXES = "commerce/taxes/"

urlpatterns = [
    path(TAXES, taxes.TaxList.as_view(), name="tax-list"),
    path(f"{TAXES}new/", taxes.TaxCreate.as_view(), name="tax-create"),
    path(f"{TAXES}example/", taxes.TaxExample.as_view(), name="tax-example"),
    path(f"{TAXES}<int:pk>/", taxes.TaxEdit.as_view(), name="tax-edit"),
    path(f"{TAXES}<int:pk>/delete/", taxes.TaxDelete.as_view(), name="tax-delete"),
]
