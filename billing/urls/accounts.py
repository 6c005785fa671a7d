"""Accounts and their ledgers, for the customer and for its provider; Help."""

from django.urls import path

from billing.views import accounts, billing_help, entries, transactions

OWN = "reports/account/"
OF_CUSTOMER = "commerce/customers/<int:pk>/account/"

urlpatterns = [
    path(OWN, accounts.OwnAccount.as_view(), name="account"),
    path(f"{OWN}statement/", accounts.OwnStatement.as_view(), name="statement"),
    path(f"{OWN}entries/<int:pk>/", entries.OwnEntry.as_view(), name="entry-detail"),
    path(
        f"{OF_CUSTOMER}new/",
        transactions.TransactionNew.as_view(),
        name="transaction-new",
    ),
    path(
        f"{OF_CUSTOMER}ledger/<int:entry>/reverse/",
        transactions.EntryReverse.as_view(),
        name="entry-reverse",
    ),
    path("help/billing/", billing_help.BillingHelp.as_view(), name="help"),
]
