"""Pages of the customer app, one module for each section of the menu."""

from customers.urls import commerce, features, reports, settings

app_name = "customers"
urlpatterns = [
    *commerce.urlpatterns,
    *features.urlpatterns,
    *reports.urlpatterns,
    *settings.urlpatterns,
]
