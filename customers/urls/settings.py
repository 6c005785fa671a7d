"""Settings: /a/<account>/settings/..."""

from django.urls import path

from customers.views import company, profile, second_factor

urlpatterns = [
    path("settings/profile/", profile.Profile.as_view(), name="profile"),
    path("settings/password/", profile.PasswordChange.as_view(), name="password"),
    path(
        "settings/second-factor/",
        second_factor.SecondFactor.as_view(),
        name="second-factor",
    ),
    path(
        "settings/second-factor/set-up/",
        second_factor.SecondFactorSetUp.as_view(),
        name="second-factor-set-up",
    ),
    path(
        "settings/second-factor/codes/",
        second_factor.RecoveryCodesRenew.as_view(),
        name="recovery-codes-renew",
    ),
    path(
        "settings/second-factor/off/",
        second_factor.SecondFactorOff.as_view(),
        name="second-factor-off",
    ),
    path("settings/sessions/", profile.SessionList.as_view(), name="session-list"),
    path(
        "settings/sessions/others/end/",
        profile.SessionsEndOthers.as_view(),
        name="sessions-end-others",
    ),
    path(
        "settings/sessions/<slug:handle>/end/",
        profile.SessionEnd.as_view(),
        name="session-end",
    ),
    path("settings/company/", company.CompanyEdit.as_view(), name="company"),
]
