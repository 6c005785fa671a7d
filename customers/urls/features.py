"""Features: /a/<account>/features/..."""

from django.urls import path

from customers.views import lines, mailboxes, numbers, people, person_actions

PEOPLE = "features/people/"
LINES = "features/lines/"
NUMBERS = "features/numbers/"
MAILBOXES = "features/mailboxes/"

urlpatterns = [
    path(PEOPLE, people.PersonList.as_view(), name="person-list"),
    path(f"{PEOPLE}new/", people.PersonCreate.as_view(), name="person-create"),
    path(f"{PEOPLE}username/", people.UsernameCheck.as_view(), name="person-username"),
    path(f"{PEOPLE}<int:pk>/", people.PersonEdit.as_view(), name="person-edit"),
    path(
        f"{PEOPLE}<int:pk>/delete/",
        person_actions.PersonDelete.as_view(),
        name="person-delete",
    ),
    path(
        f"{PEOPLE}<int:pk>/login-details/",
        person_actions.PersonLoginDetails.as_view(),
        name="person-login-details",
    ),
    path(
        f"{PEOPLE}<int:pk>/require-password/",
        person_actions.PersonRequirePassword.as_view(),
        name="person-require-password",
    ),
    path(
        f"{PEOPLE}<int:pk>/remove-second-factor/",
        person_actions.PersonRemoveSecondFactor.as_view(),
        name="person-remove-second-factor",
    ),
    path(LINES, lines.LineList.as_view(), name="line-list"),
    path(f"{LINES}new/", lines.LineCreate.as_view(), name="line-create"),
    path(f"{LINES}bulk/", lines.LineBulk.as_view(), name="line-bulk"),
    path(f"{LINES}<int:pk>/", lines.LineEdit.as_view(), name="line-edit"),
    path(
        f"{LINES}<int:pk>/renew-password/",
        lines.LineRenewPassword.as_view(),
        name="line-renew-password",
    ),
    path(f"{LINES}<int:pk>/delete/", lines.LineDelete.as_view(), name="line-delete"),
    path(NUMBERS, numbers.NumberList.as_view(), name="number-list"),
    path(f"{NUMBERS}new/", numbers.NumberNew.as_view(), name="number-new"),
    path(f"{NUMBERS}new/stock/", numbers.NumberTake.as_view(), name="number-take"),
    path(
        f"{NUMBERS}new/stock/search/",
        numbers.NumberStock.as_view(),
        name="number-stock",
    ),
    path(f"{NUMBERS}new/enter/", numbers.NumberEnter.as_view(), name="number-enter"),
    path(f"{NUMBERS}<int:pk>/", numbers.NumberEdit.as_view(), name="number-edit"),
    path(
        f"{NUMBERS}<int:pk>/release/",
        numbers.NumberRelease.as_view(),
        name="number-release",
    ),
    path(MAILBOXES, mailboxes.MailboxList.as_view(), name="mailbox-list"),
    path(f"{MAILBOXES}new/", mailboxes.MailboxCreate.as_view(), name="mailbox-create"),
    path(f"{MAILBOXES}<int:pk>/", mailboxes.MailboxEdit.as_view(), name="mailbox-edit"),
    path(
        f"{MAILBOXES}<int:pk>/renew-pin/",
        mailboxes.MailboxRenewPin.as_view(),
        name="mailbox-renew-pin",
    ),
    path(
        f"{MAILBOXES}<int:pk>/delete/",
        mailboxes.MailboxDelete.as_view(),
        name="mailbox-delete",
    ),
]
