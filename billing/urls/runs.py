"""Commerce » Billing runs."""

from django.urls import path

from billing.views import runs

RUNS = "commerce/runs/"

urlpatterns = [
    path(RUNS, runs.RunList.as_view(), name="run-list"),
    path(f"{RUNS}<int:pk>/", runs.RunDetail.as_view(), name="run-detail"),
    path(
        f"{RUNS}<int:pk>/failures/<int:failure>/again/",
        runs.RunAgain.as_view(),
        name="run-again",
    ),
]
