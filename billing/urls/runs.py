"""Commerce » Billing runs."""

from django.urls import path

from billing.views import drawing, run_control, runs

RUNS = "commerce/runs/"

urlpatterns = [
    path(RUNS, runs.RunList.as_view(), name="run-list"),
    path(f"{RUNS}now/", run_control.RunNow.as_view(), name="run-now"),
    path(f"{RUNS}<int:pk>/", runs.RunDetail.as_view(), name="run-detail"),
    path(
        f"{RUNS}<int:pk>/progress/",
        run_control.RunProgress.as_view(),
        name="run-progress",
    ),
    path(f"{RUNS}<int:pk>/stop/", run_control.RunStop.as_view(), name="run-stop"),
    path(
        f"{RUNS}<int:pk>/continue/",
        run_control.RunContinue.as_view(),
        name="run-continue",
    ),
    path(f"{RUNS}<int:pk>/again/", runs.RunAllAgain.as_view(), name="run-all-again"),
    path(f"{RUNS}<int:pk>/draw/", drawing.RunDraw.as_view(), name="run-draw"),
    path(
        f"{RUNS}<int:pk>/failures/<int:failure>/again/",
        runs.RunAgain.as_view(),
        name="run-again",
    ),
]
