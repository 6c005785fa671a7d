"""The only map of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from customers.urls.sign_in import urlpatterns as sign_in_urls
from portal.dashboard import views as dashboard

urlpatterns = [
    path("", dashboard.home, name="home"),
    *sign_in_urls,
    path(
        "a/<int:account>/",
        include(
            [
                path("", dashboard.Start.as_view(), name="start"),
                path("search/", dashboard.Search.as_view(), name="search"),
                path("", include("customers.urls")),
                path("", include("rateplans.urls")),
                path("", include("billing.urls")),
            ]
        ),
    ),
    path("admin/", admin.site.urls),
]

if settings.DEBUG:
    urlpatterns += [path("gallery/", include("portal.dashboard.gallery"))]
