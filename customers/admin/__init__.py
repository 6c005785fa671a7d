"""The customer tree in the Django admin: rows to look at, services as actions."""

from customers.admin import (
    customer_admin,
    people_admin,
    role_admin,
    system_admin,
    telephony_admin,
)

__all__ = [
    "customer_admin",
    "people_admin",
    "role_admin",
    "system_admin",
    "telephony_admin",
]
