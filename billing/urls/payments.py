"""Commerce » Payments, credit notes and receivables."""

from django.urls import path

from billing.views import credit_notes, payments

PAYMENTS = "commerce/payments/"

urlpatterns = [
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
