"""Where the pages of billing are, inside an account."""

from billing.urls import accounts, charging, invoices, payments, plans, runs, sellers

app_name = "billing"
urlpatterns = [
    *accounts.urlpatterns,
    *charging.urlpatterns,
    *invoices.urlpatterns,
    *payments.urlpatterns,
    *plans.urlpatterns,
    *runs.urlpatterns,
    *sellers.urlpatterns,
]
