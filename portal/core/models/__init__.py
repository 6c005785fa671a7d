from portal.core.models.audit import AuditChange, AuditEvent
from portal.core.models.email import EmailAttachment, EmailStatus, OutgoingEmail
from portal.core.models.file import StoredFile
from portal.core.models.session import Session
from portal.core.models.submission import Submission

__all__ = [
    "AuditChange",
    "AuditEvent",
    "EmailAttachment",
    "EmailStatus",
    "OutgoingEmail",
    "Session",
    "StoredFile",
    "Submission",
]
