"""Commerce » Taxes, Exchange rates, Products; charges; Actions » Purchase."""

from django.urls import path

from billing.views import (
    charge_actions,
    charges,
    currencies,
    plan_charges,
    plan_products,
    products,
    purchases,
    taxes,
)

CHARGES = "commerce/charges/"
OF_CUSTOMER = "commerce/customers/<int:pk>/charges/"
OF_PLAN = "commerce/plans/<int:pk>/charges/"
PRODUCTS = "commerce/products/"
PLAN_PRODUCTS = "commerce/plans/<int:pk>/products/"
PURCHASE = "actions/purchase/"
RATES = "commerce/exchange-rates/"
TAXES = "commerce/taxes/"

urlpatterns = [
    path(
        f"{OF_CUSTOMER}new/",
        charges.CustomerChargeCreate.as_view(),
        name="customer-charge-create",
    ),
    path(OF_PLAN, plan_charges.PlanCharges.as_view(), name="plan-charges"),
    path(
        f"{OF_PLAN}new/",
        plan_charges.PlanChargeCreate.as_view(),
        name="plan-charge-create",
    ),
    path(
        f"{CHARGES}<int:pk>/",
        plan_charges.AnyChargeEdit.as_view(),
        name="charge-edit",
    ),
    path(
        f"{CHARGES}<int:pk>/now/", charge_actions.ChargeNow.as_view(), name="charge-now"
    ),
    path(
        f"{CHARGES}<int:pk>/end/", charge_actions.ChargeEnd.as_view(), name="charge-end"
    ),
    path(PRODUCTS, products.ProductList.as_view(), name="product-list"),
    path(f"{PRODUCTS}new/", products.ProductCreate.as_view(), name="product-create"),
    path(f"{PRODUCTS}<int:pk>/", products.ProductEdit.as_view(), name="product-edit"),
    path(
        f"{PRODUCTS}<int:pk>/archive/",
        products.ProductArchive.as_view(),
        name="product-archive",
    ),
    path(PLAN_PRODUCTS, plan_products.PlanProducts.as_view(), name="plan-products"),
    path(
        f"{PLAN_PRODUCTS}<int:product>/",
        plan_products.PlanProduct.as_view(),
        name="plan-product",
    ),
    path(PURCHASE, purchases.Purchase.as_view(), name="purchase"),
    path(f"{PURCHASE}order/", purchases.PurchaseOrder.as_view(), name="purchase-order"),
    path(RATES, currencies.RateList.as_view(), name="rate-list"),
    path(f"{RATES}new/", currencies.RateCreate.as_view(), name="rate-create"),
    path(f"{RATES}import/", currencies.RateImport.as_view(), name="rate-import"),
    path(TAXES, taxes.TaxList.as_view(), name="tax-list"),
    path(f"{TAXES}new/", taxes.TaxCreate.as_view(), name="tax-create"),
    path(f"{TAXES}example/", taxes.TaxExample.as_view(), name="tax-example"),
    path(f"{TAXES}<int:pk>/", taxes.TaxEdit.as_view(), name="tax-edit"),
    path(f"{TAXES}<int:pk>/delete/", taxes.TaxDelete.as_view(), name="tax-delete"),
]
