"""What things cost in the demo, and who pays how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from billing.choices import PaymentMethod
from rateplans.choices import Feature

OWN = "*"  # in place of a base: the plan that the owner itself is on


class Habit(Enum):
    """How an account settles what it owes, and keeps its balance up."""

    PAYS = "pays"
    LATE = "late"  # weeks after an invoice is overdue; tops up every other month
    ROUNDS = "rounds"  # up: what is over stays on the balance
    STOPPED = "stopped"  # some months ago
    NEVER = "never"


# Sign-up fee and monthly fee.
Prices = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Tariff:
    """A plan's own prices; what is missing is inherited or passed through."""

    base: str = ""
    may_be_inherited: bool = False
    refunds: bool | None = None
    times: str = ""  # the time group in which class-of-service exceptions hold
    fees: Mapping[Feature, Prices] = field(default_factory=dict)
    numbers: Mapping[str, Prices] = field(default_factory=dict)
    features: Mapping[Feature, tuple[int | None, int | None]] = field(
        default_factory=dict
    )
    markups: Mapping[str, Prices] = field(default_factory=dict)


# Time groups: first and last day of the week, from and to in minutes since midnight.
TIMES = {"Office hours": ((0, 3, 8 * 60, 18 * 60), (4, 4, 8 * 60, 16 * 60))}

_CARRIER_NUMBERS = {
    "Normal": ("0", "0.25"),
    "Bronze": ("5", "0.50"),
    "Silver": ("15", "1.50"),
    "Gold": ("60", "4.00"),
}
_CARRIER_MARKUPS = {"outcost": ("20", "0"), "outconnect": ("20", "0")}
_RETAIL_NUMBERS = {
    "Normal": ("1", "0.90"),
    "Bronze": ("15", "1.50"),
    "Silver": ("35", "2.90"),
    "Gold": ("120", "9.90"),
}

TARIFFS: dict[str, Tariff] = {
    "Carrier Euro": Tariff(
        may_be_inherited=True,
        fees={
            Feature.ACCOUNT: ("0", "0.50"),
            Feature.LINE: ("0", "1.20"),
            Feature.MAILBOX: ("0", "0.20"),
        },
        numbers=_CARRIER_NUMBERS,
        features={Feature.MAILBOX: (None, 10)},
        markups=_CARRIER_MARKUPS,
    ),
    "Carrier Sterling": Tariff(
        fees={
            Feature.ACCOUNT: ("0", "0.45"),
            Feature.LINE: ("0", "1.10"),
            Feature.MAILBOX: ("0", "0.18"),
        },
        numbers=_CARRIER_NUMBERS,
        markups=_CARRIER_MARKUPS,
    ),
    "Carrier Dollar": Tariff(
        fees={Feature.ACCOUNT: ("0", "0.55"), Feature.LINE: ("0", "1.30")},
        numbers=_CARRIER_NUMBERS,
        markups=_CARRIER_MARKUPS,
    ),
    "Easy Start": Tariff(
        may_be_inherited=True,
        refunds=True,
        fees={Feature.LINE: ("5", "3.90"), Feature.MAILBOX: ("0", "0.50")},
        numbers={"Normal": ("1", "0.75")},
    ),
    "Business": Tariff(
        refunds=True,
        times="Office hours",
        fees={
            Feature.ACCOUNT: ("0", "4.90"),
            Feature.LINE: ("10", "4.50"),
            Feature.MAILBOX: ("0", "0.90"),
            Feature.PERSON: ("0", "0"),
        },
        numbers=_RETAIL_NUMBERS,
        markups={"outcost": ("15", "0.002"), "outconnect": ("10", "0")},
    ),
    "Business Flex": Tariff(
        base="Business",
        fees={Feature.ACCOUNT: ("0", "0"), Feature.LINE: ("0", "6.90")},
    ),
    "Business 24": Tariff(
        base="Business",
        fees={Feature.LINE: ("0", "3.90")},
        features={Feature.MAILBOX: (None, 2)},
    ),
    "Privat": Tariff(
        fees={
            Feature.ACCOUNT: ("0", "0"),
            Feature.LINE: ("0", "2.90"),
            Feature.MAILBOX: ("0", "0"),
            Feature.PERSON: ("0", "0"),
        },
        numbers={"Normal": ("0", "0"), "Bronze": ("9", "1.00")},
        features={Feature.LINE: (2, None), Feature.MAILBOX: (1, 1)},
    ),
    "Partner": Tariff(
        base=OWN,
        may_be_inherited=True,
        fees={Feature.LINE: ("0", "1.90")},
        markups={"outcost": ("10", "0")},
    ),
    "Laden": Tariff(
        fees={Feature.ACCOUNT: ("0", "3.90"), Feature.LINE: ("10", "4.90")},
        numbers={"Normal": ("2", "1.00"), "Silver": ("40", "3.50")},
    ),
    "Zuhause": Tariff(
        fees={Feature.ACCOUNT: ("0", "0"), Feature.LINE: ("0", "3.20")},
        numbers={"Normal": ("0", "0.50")},
    ),
    "Trade": Tariff(
        fees={Feature.ACCOUNT: ("0", "4.50"), Feature.LINE: ("8", "3.75")},
        numbers={"Normal": ("1", "0.80"), "Gold": ("100", "8.00")},
    ),
    "Pay as you go": Tariff(
        fees={Feature.ACCOUNT: ("0", "0"), Feature.LINE: ("0", "2.50")},
        numbers={"Normal": ("0", "0.50")},
    ),
    "Main Street": Tariff(
        fees={Feature.ACCOUNT: ("0", "5.00"), Feature.LINE: ("12", "4.25")},
        numbers={"Normal": ("1", "1.00")},
    ),
}

# Those who do not simply pay: somebody is always late, and somebody never pays.
HABITS: dict[str, Habit] = {
    "Reederei Jansen & Co.": Habit.STOPPED,
    "Fahrradladen Speiche": Habit.STOPPED,
    "Kinderhaus Regenbogen e. V.": Habit.LATE,
    "Bäckerei Morgenrot": Habit.LATE,
    "株式会社みなと商事 ハンブルク支店": Habit.LATE,
    "Zahnarztpraxis Dr. Özdemir": Habit.ROUNDS,
    "Brick Lane Bagels": Habit.NEVER,
    "Möbelhaus Lindqvist": Habit.NEVER,
}
METHODS: dict[str, PaymentMethod] = {
    "Nordwind Telekom": PaymentMethod.DIRECT_DEBIT,
    "Kinderhaus Regenbogen e. V.": PaymentMethod.CASH,
    "Weingut Sonnenhang": PaymentMethod.CARD,
    "Five Boroughs Bike Messengers": PaymentMethod.DIRECT_DEBIT,
}

# For 1 EUR.
RATES: dict[str, str] = {"GBP": "0.865", "USD": "1.155"}
