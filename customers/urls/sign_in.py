"""Pages without an account: signing in and out, passwords, brands."""

from django.urls import path

from customers.views import brands, password_links, sign_in

urlpatterns = [
    path("login/", sign_in.SignIn.as_view(), name="login"),
    path("logout/", sign_in.SignOut.as_view(), name="logout"),
    path("two-factor/", sign_in.TwoFactor.as_view(), name="two-factor"),
    path(
        "password/forgotten/",
        sign_in.PasswordForgotten.as_view(),
        name="password-forgotten",
    ),
    path(
        "password/forgotten/sent/",
        sign_in.PasswordForgottenDone.as_view(),
        name="password-forgotten-done",
    ),
    path(
        "password/reset/<str:uidb64>/<str:token>/",
        password_links.ChoosePassword.as_view(),
        name="password-reset",
    ),
    path(
        "welcome/<str:uidb64>/<str:token>/",
        password_links.Welcome.as_view(),
        name="welcome",
    ),
    path("brand/<int:customer>/<str:digest>.png", brands.logo, name="brand-logo"),
    path("brand/<int:customer>/<str:digest>.css", brands.styles, name="brand-styles"),
]
