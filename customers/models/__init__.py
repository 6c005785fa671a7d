from customers.models.company import Company
from customers.models.customer import Customer, NameKey, SortKey
from customers.models.line import TelephoneLine
from customers.models.mailbox import Mailbox
from customers.models.note import Note
from customers.models.number import Number
from customers.models.person import Person
from customers.models.role import Role
from customers.models.switch import Switch
from customers.models.system import (
    DialPlan,
    Region,
    SystemOptions,
    TimeGroup,
    TimeSpan,
)

__all__ = [
    "Company",
    "Customer",
    "DialPlan",
    "Mailbox",
    "NameKey",
    "Note",
    "Number",
    "Person",
    "Region",
    "Role",
    "SortKey",
    "Switch",
    "SystemOptions",
    "TelephoneLine",
    "TimeGroup",
    "TimeSpan",
]
