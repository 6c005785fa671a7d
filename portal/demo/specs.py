"""The shape of the demo's story: what `cast` tells and `building` makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from customers.choices import Lock


@dataclass(frozen=True, slots=True)
class Staff:
    """A person; an empty ``username`` stands for the e-mail address."""

    first_name: str
    last_name: str
    email: str
    role: str
    username: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def login(self) -> str:
        return self.username or self.email


@dataclass(frozen=True, slots=True)
class Stock:
    """``count`` telephone numbers in a row, in one class."""

    first: str
    count: int
    number_class: str = "Normal"


@dataclass(frozen=True, slots=True)
class TaxSpec:
    name: str
    rate: str = "0"
    amount: str = "0"
    is_vat: bool = True
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Business:
    """A normal customer. ``place`` is post code and city; telephones become lines."""

    name: str
    email: str
    street: str
    place: tuple[str, str]
    plan: str
    credit: Decimal = Decimal(0)
    people: tuple[Staff, ...] = ()
    telephones: tuple[str, ...] = ()
    mailbox: str = ""
    numbers: int = 0
    lock: Lock = Lock.NONE
    lock_reason: str = ""
    is_deleted: bool = False
    note: tuple[str, str] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resident:
    """A residential customer, who takes the next free number of its reseller."""

    first_name: str
    last_name: str
    email: str
    street: str
    place: tuple[str, str]
    plan: str
    username: str = ""


@dataclass(frozen=True, slots=True)
class Reseller:
    """A reseller with all it sells, and to whom."""

    business: Business
    country: str
    time_zone: str
    company: Mapping[str, Any] = field(default_factory=dict)
    plans: tuple[Mapping[str, Any], ...] = ()
    taxes: tuple[TaxSpec, ...] = ()
    stock: tuple[Stock, ...] = ()
    customers: tuple[Business | Resident, ...] = ()
    resellers: tuple[Reseller, ...] = ()
