"""What a rate plan comes to, level by level."""

from django.urls import path

from billing.views import calculator, plan_terms

urlpatterns = [
    path(
        "commerce/plans/<int:pk>/calculator/",
        calculator.PlanCalculator.as_view(),
        name="plan-calculator",
    ),
    path(
        "commerce/plans/<int:pk>/terms/",
        plan_terms.PlanTerms.as_view(),
        name="plan-terms",
    ),
]
