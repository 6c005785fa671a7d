"""Reports: /a/<account>/reports/..."""

from django.urls import path

from customers.views import audit_log, reports

EMAILS = "reports/emails/"
AUDIT = "reports/audit/"

urlpatterns = [
    path(EMAILS, reports.EmailList.as_view(), name="email-list"),
    path(f"{EMAILS}<int:pk>/", reports.EmailDetail.as_view(), name="email-detail"),
    path(f"{EMAILS}<int:pk>/html/", reports.EmailHtml.as_view(), name="email-html"),
    path(
        f"{EMAILS}<int:pk>/files/<int:file>/",
        reports.EmailFile.as_view(),
        name="email-file",
    ),
    path(
        f"{EMAILS}<int:pk>/resend/", reports.EmailResend.as_view(), name="email-resend"
    ),
    path(AUDIT, audit_log.AuditLog.as_view(), name="audit-list"),
    path(f"{AUDIT}export/", audit_log.AuditExport.as_view(), name="audit-export"),
]
