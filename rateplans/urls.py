"""Commerce » Rate plans: /a/<account>/commerce/plans/..."""

from django.urls import path

from rateplans.views import customs, history, plan_actions, plans, prices

app_name = "rateplans"
LIST = "commerce/plans/"
ONE = "commerce/plans/<int:pk>/"
CUSTOMS = f"{ONE}customs/"

urlpatterns = [
    path(LIST, plans.PlanList.as_view(), name="plan-list"),
    path(f"{LIST}new/", plans.PlanCreate.as_view(), name="plan-create"),
    path(ONE, plans.PlanEdit.as_view(), name="plan-edit"),
    path(f"{ONE}prices/", prices.PlanPrices.as_view(), name="plan-prices"),
    path(
        f"{ONE}permissions/", prices.PlanPermissions.as_view(), name="plan-permissions"
    ),
    path(f"{ONE}markups/", prices.PlanMarkups.as_view(), name="plan-markups"),
    path(f"{ONE}withdraw/", prices.PlanWithdraw.as_view(), name="plan-withdraw"),
    path(f"{ONE}history/", history.PlanHistory.as_view(), name="plan-history"),
    path(CUSTOMS, customs.CustomList.as_view(), name="custom-list"),
    path(f"{CUSTOMS}new/", customs.CustomCreate.as_view(), name="custom-create"),
    path(f"{CUSTOMS}preview/", customs.CustomPreview.as_view(), name="custom-preview"),
    path(f"{CUSTOMS}<int:custom>/", customs.CustomEdit.as_view(), name="custom-edit"),
    path(
        f"{CUSTOMS}<int:custom>/delete/",
        customs.CustomDelete.as_view(),
        name="custom-delete",
    ),
    path(f"{ONE}copy/", plan_actions.PlanCopy.as_view(), name="plan-copy"),
    path(f"{ONE}archive/", plan_actions.PlanArchive.as_view(), name="plan-archive"),
    path(f"{ONE}delete/", plan_actions.PlanDelete.as_view(), name="plan-delete"),
]
