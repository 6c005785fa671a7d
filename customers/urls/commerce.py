"""Commerce: /a/<account>/commerce/customers/... and the switch, wherever one is."""

from django.urls import path

from customers.views import (
    accounts,
    charges,
    departures,
    invoices,
    notes,
    switching,
)
from customers.views import customer_actions as actions
from customers.views import customer_pages as one
from customers.views import customers as pages
from customers.wizards import views as wizards

LIST = "commerce/customers/"
ONE = "commerce/customers/<int:pk>/"

urlpatterns = [
    path(LIST, pages.CustomerList.as_view(), name="customer-list"),
    path(f"{LIST}export/", pages.CustomerExport.as_view(), name="customer-export"),
    path(f"{LIST}bulk/", actions.CustomerBulk.as_view(), name="customer-bulk"),
    path(f"{LIST}new/", wizards.CustomerNew.as_view(), name="customer-new"),
    path(f"{LIST}new/normal/", wizards.NormalCreate.as_view(), name="normal-create"),
    path(
        f"{LIST}new/residential/",
        wizards.ResidentialCreate.as_view(),
        name="residential-create",
    ),
    path(f"{LIST}new/name/", wizards.NameCheck.as_view(), name="name-check"),
    path(
        f"{LIST}new/username/", wizards.UsernameCheck.as_view(), name="username-check"
    ),
    path(f"{LIST}new/numbers/", wizards.NumberPicker.as_view(), name="number-picker"),
    path(f"{LIST}new/warnings/", wizards.WarningCheck.as_view(), name="warning-check"),
    path(ONE, one.CustomerDetail.as_view(), name="customer-detail"),
    path(f"{ONE}edit/", wizards.CustomerEdit.as_view(), name="customer-edit"),
    path(f"{ONE}account/", accounts.CustomerAccount.as_view(), name="customer-account"),
    path(
        f"{ONE}account/statement/",
        accounts.CustomerStatement.as_view(),
        name="customer-statement",
    ),
    path(
        f"{ONE}account/ledger/<int:entry>/",
        accounts.CustomerEntry.as_view(),
        name="customer-entry",
    ),
    path(f"{ONE}charges/", charges.CustomerCharges.as_view(), name="customer-charges"),
    path(
        f"{ONE}invoices/", invoices.CustomerInvoices.as_view(), name="customer-invoices"
    ),
    path(f"{ONE}people/", one.CustomerPeople.as_view(), name="customer-people"),
    path(f"{ONE}history/", one.CustomerHistory.as_view(), name="customer-history"),
    path(f"{ONE}notes/", notes.NoteList.as_view(), name="customer-notes"),
    path(f"{ONE}notes/<int:note>/", notes.NoteEdit.as_view(), name="note-edit"),
    path(
        f"{ONE}notes/<int:note>/delete/", notes.NoteDelete.as_view(), name="note-delete"
    ),
    path(f"{ONE}lock/", actions.CustomerLock.as_view(), name="customer-lock"),
    path(f"{ONE}delete/", departures.CustomerDelete.as_view(), name="customer-delete"),
    path(
        f"{ONE}undelete/",
        departures.CustomerUndelete.as_view(),
        name="customer-undelete",
    ),
    path(f"{ONE}purge/", actions.CustomerPurge.as_view(), name="customer-purge"),
    path(f"{ONE}move/", actions.CustomerMove.as_view(), name="customer-move"),
    path(
        f"{ONE}login-details/",
        actions.LoginDetailsResend.as_view(),
        name="login-details-resend",
    ),
    path(f"{ONE}email/", one.LoginMailState.as_view(), name="login-mail-state"),
    path(
        "commerce/invoices/<int:pk>/mail/",
        invoices.InvoiceMail.as_view(),
        name="invoice-mail",
    ),
    path("switch/", switching.SwitchOpen.as_view(), name="switch-open"),
    path("switch/end/", switching.SwitchClose.as_view(), name="switch-close"),
]
