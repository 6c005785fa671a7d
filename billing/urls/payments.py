"""Commerce » Payments, credit notes and receivables."""

from django.urls import path

from billing.views import (
    credit_notes,
    import_booking,
    import_lines,
    payments,
    receivables,
)
from billing.views import payment_imports as imports

PAYMENTS = "commerce/payments/"
IMPORTS = "commerce/payment-imports/"
ONE_IMPORT = f"{IMPORTS}<int:pk>/"

RECEIVABLES = "commerce/receivables/"
OF_CUSTOMER = f"{RECEIVABLES}<int:pk>/"
OWN = "reports/open-items/"

urlpatterns = [
    path(RECEIVABLES, receivables.Receivables.as_view(), name="receivables"),
    path(
        f"{RECEIVABLES}export/",
        receivables.ReceivablesExport.as_view(),
        name="receivables-export",
    ),
    path(
        OF_CUSTOMER, receivables.CustomerOpenItems.as_view(), name="customer-open-items"
    ),
    path(
        f"{OF_CUSTOMER}export/",
        receivables.CustomerOpenItemsExport.as_view(),
        name="customer-open-items-export",
    ),
    path(OWN, receivables.OwnOpenItems.as_view(), name="own-open-items"),
    path(
        f"{OWN}export/",
        receivables.OwnOpenItemsExport.as_view(),
        name="own-open-items-export",
    ),
    path(IMPORTS, imports.ImportList.as_view(), name="import-list"),
    path(f"{IMPORTS}new/", imports.ImportNew.as_view(), name="import-new"),
    path(ONE_IMPORT, imports.ImportDetail.as_view(), name="import-detail"),
    path(
        f"{ONE_IMPORT}columns/", imports.ImportColumns.as_view(), name="import-columns"
    ),
    path(f"{ONE_IMPORT}book/", import_booking.ImportBook.as_view(), name="import-book"),
    path(f"{ONE_IMPORT}stop/", import_booking.ImportStop.as_view(), name="import-stop"),
    path(
        f"{ONE_IMPORT}progress/",
        import_booking.ImportProgress.as_view(),
        name="import-progress",
    ),
    path(
        f"{ONE_IMPORT}rows/<int:row>/",
        import_lines.ImportLineEdit.as_view(),
        name="import-line",
    ),
    path(
        "commerce/invoices/<int:pk>/credit/",
        credit_notes.CreditNew.as_view(),
        name="invoice-credit",
    ),
    path(PAYMENTS, payments.PaymentList.as_view(), name="payment-list"),
    path(
        f"{PAYMENTS}<int:pk>/", payments.PaymentDetail.as_view(), name="payment-detail"
    ),
    path(
        f"{PAYMENTS}<int:pk>/reverse/",
        payments.PaymentReverse.as_view(),
        name="payment-reverse",
    ),
    path(
        "commerce/customers/<int:pk>/payments/new/",
        payments.PaymentNew.as_view(),
        name="payment-new",
    ),
]
