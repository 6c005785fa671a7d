"""Where the pages of billing are, inside an account."""

from billing.urls import accounts, charging, plans, runs, sellers

app_name = "billing"
urlpatterns = [
    *accounts.urlpatterns,
    *charging.urlpatterns,
    *plans.urlpatterns,
    *runs.urlpatterns,
    *sellers.urlpatterns,
]
