"""Commerce » Rate plans: /a/<account>/commerce/plans/..."""

from django.urls import URLPattern

app_name = "rateplans"
urlpatterns: list[URLPattern] = []
