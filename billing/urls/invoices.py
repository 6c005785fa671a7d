"""Commerce » Invoices, Reports » Invoices, and Settings » Number series."""

from django.urls import path

from billing.choices import FileKind
from billing.views import invoice_actions as actions
from billing.views import invoice_detail, invoices, number_series
from billing.views import invoice_downloads as downloads
from billing.views import invoice_new as new

LIST = "commerce/invoices/"
ONE = f"{LIST}<int:pk>/"
OWN_LIST = "reports/invoices/"
OWN = f"{OWN_LIST}<int:pk>/"
OF_CUSTOMER = "commerce/customers/<int:pk>/invoices/"

urlpatterns = [
    path(LIST, invoices.InvoiceList.as_view(), name="invoice-list"),
    path(f"{LIST}bulk/", invoices.InvoiceBulk.as_view(), name="invoice-bulk"),
    path(
        f"{LIST}approve/",
        invoices.InvoiceApproveAll.as_view(),
        name="invoice-approve-all",
    ),
    path(f"{LIST}send/", invoices.InvoiceSendAll.as_view(), name="invoice-send-all"),
    path(ONE, invoice_detail.InvoiceDetail.as_view(), name="invoice-detail"),
    path(f"{ONE}approve/", actions.InvoiceApprove.as_view(), name="invoice-approve"),
    path(
        f"{ONE}unapprove/", actions.InvoiceUnapprove.as_view(), name="invoice-unapprove"
    ),
    path(f"{ONE}send/", actions.InvoiceSend.as_view(), name="invoice-send"),
    path(f"{ONE}status/", actions.InvoiceSetStatus.as_view(), name="invoice-status"),
    path(f"{ONE}draw/", actions.InvoiceDraw.as_view(), name="invoice-draw"),
    path(f"{ONE}charge/", actions.InvoiceCharge.as_view(), name="invoice-charge"),
    path(
        f"{ONE}write-off/",
        actions.InvoiceWriteOff.as_view(),
        name="invoice-write-off",
    ),
    path(f"{ONE}again/", actions.InvoiceAgain.as_view(), name="invoice-again"),
    path(f"{OF_CUSTOMER}new/", new.InvoiceNew.as_view(), name="invoice-new"),
    path(
        f"{OF_CUSTOMER}new/preview/",
        new.InvoicePreview.as_view(),
        name="invoice-preview",
    ),
    path(OWN_LIST, invoices.OwnInvoices.as_view(), name="own-invoice-list"),
    path(OWN, invoice_detail.OwnInvoice.as_view(), name="own-invoice-detail"),
    path(
        "settings/number-series/",
        number_series.SeriesEdit.as_view(),
        name="number-series",
    ),
]
for _kind in FileKind:
    urlpatterns += [
        path(
            f"{ONE}{_kind}/",
            downloads.IssuedFile.as_view(kind=_kind),
            name=f"invoice-{_kind}",
        ),
        path(
            f"{OWN}{_kind}/",
            downloads.OwnFile.as_view(kind=_kind),
            name=f"own-invoice-{_kind}",
        ),
    ]
