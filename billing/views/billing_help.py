"""Help » How billing works: told with the reader's own account and rate plan."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from billing.invoicing_help import sellers_topics
from billing.models import BillingAccount
from billing.types import rules_of
from billing.views.account_parts import bill_type_sentences
from portal.core.money import format_money, format_price
from portal.core.permissions import Permission
from portal.core.views import PortalView
from rateplans.choices import BillType, Feature, Occurs
from rateplans.selectors import effective_plan

EVERY = 112  # from one box of the picture to the next
LONGEST_NAME = 26  # signs that fit into a box of the picture


@dataclass(frozen=True, slots=True)
class Box:
    """Somebody in the picture of who owes whom; ``y`` is the upper edge."""

    name: str
    detail: str
    y: int
    is_reader: bool = False

    @property
    def name_y(self) -> int:
        return self.y + 24

    @property
    def detail_y(self) -> int:
        return self.y + 44


@dataclass(frozen=True, slots=True)
class Arrow:
    """What stands between two boxes: from who owes to who is owed; ``y`` is its top."""

    text: str
    y: int
    is_upwards: bool

    @property
    def end(self) -> int:
        return self.y + 44

    @property
    def text_y(self) -> int:
        return self.y + 27

    @property
    def path(self) -> str:
        tip, barb = (
            (self.y, self.y + 7) if self.is_upwards else (self.end, self.end - 7)
        )
        return f"M40 {self.y}V{self.end}M34 {barb}L40 {tip}L46 {barb}"


class BillingHelp(PortalView):
    permission = Permission.USER

    def title(self) -> str:
        return _("How billing works")

    def get(self, request: Any) -> HttpResponse:
        account, below = self.own_account(), self.account_below()
        boxes = self.boxes(below)
        context = self.page_context(
            runs_customers=self.actor.can(Permission.COMMERCE),
            can_set_up=self.actor.can(Permission.SETTINGS),
            topics=self.topics(),
            own_pages=self.own_pages(),
            boxes=boxes,
            arrows=self.arrows(account, below),
            picture_height=(len(boxes) - 1) * EVERY + 62,
            facts=own_facts(account) if account else [],
            bill_types=[
                {
                    "label": kind.label,
                    "sentences": bill_type_sentences(kind),
                    "is_own": account is not None and account.bill_type == kind,
                }
                for kind in BillType
            ],
            example=chain_example(),
        )
        return render(request, "billing/help.html", context)

    def topics(self) -> list[dict[str, Any]]:
        """About invoicing customers, with links to the pages that the reader may open."""
        if not self.actor.can(Permission.COMMERCE):
            return []
        return [
            {
                "title": topic.title,
                "text": topic.text,
                "pages": [
                    {"label": page.label, "url": self.url(page.url_name)}
                    for page in topic.pages
                    if self.actor.can(page.needs)
                ],
            }
            for topic in sellers_topics()
        ]

    def own_pages(self) -> list[dict[str, str]]:
        """Where the reader finds the invoices it gets."""
        if not (self.has_provider and self.actor.can(Permission.REPORTS)):
            return []
        return [
            {"label": _("Invoices"), "url": self.url("billing:own-invoice-list")},
            {"label": _("Open items"), "url": self.url("billing:own-open-items")},
        ]

    def own_account(self) -> BillingAccount | None:
        """The account one is in, for those who may read about its money."""
        if not self.actor.can(Permission.REPORTS):
            return None
        accounts = BillingAccount.objects.select_related("plan")
        return accounts.filter(customer=self.actor.customer.pk).first()

    def account_below(self) -> BillingAccount | None:
        """A customer of the reader's to point at, rather one that owes something."""
        if not self.actor.can(Permission.COMMERCE):
            return None
        accounts = BillingAccount.objects.filter(
            provider=self.actor.customer.pk, customer__deleted_at=None
        )
        return accounts.select_related("customer").order_by("balance", "pk").first()

    @property
    def has_provider(self) -> bool:
        return self.request.reach.account.parent_id is not None

    def boxes(self, below: BillingAccount | None) -> list[Box]:
        found = [
            (
                _short(self.actor.customer.name),
                _("you") if self.has_provider else _("you, the system owner"),
            )
        ]
        if self.has_provider:
            found.insert(0, (_("Your provider"), _("the bank of your account")))
        if self.actor.can(Permission.COMMERCE):
            name = _short(below.customer.name) if below else _("Your customer")
            found.append((name, _("you are the bank of this account")))
        own = int(self.has_provider)
        return [
            Box(name, detail, place * EVERY, is_reader=place == own)
            for place, (name, detail) in enumerate(found)
        ]

    def arrows(
        self, account: BillingAccount | None, below: BillingAccount | None
    ) -> list[Arrow]:
        owing = []
        if self.has_provider:
            owing.append(owed(account, is_own=True))
        if self.actor.can(Permission.COMMERCE):
            owing.append(owed(below, is_own=False))
        return [
            Arrow(text, place * EVERY + 64, is_upwards)
            for place, (text, is_upwards) in enumerate(owing)
        ]


def owed(account: BillingAccount | None, *, is_own: bool) -> tuple[str, bool]:
    """Who owes whom on an account in few words, and whether the lower one does."""
    if account is None or not rules_of(account.bill_type).uses_balance:
        text = _("you pay for what you use") if is_own else _("pays for what it uses")
        return text, True
    amount = format_money(abs(account.balance), account.currency)
    if account.balance < 0:
        text = _("you owe it %(amount)s") if is_own else _("it owes you %(amount)s")
    elif account.balance > 0:
        text = _("it owes you %(amount)s") if is_own else _("you owe it %(amount)s")
    else:
        text = _("nobody owes anything")
    return text % {"amount": amount} if account.balance else text, account.balance <= 0


def own_facts(account: BillingAccount) -> list[dict[str, Any]]:
    """The reader's own figures, as the example for each rule."""
    rules, currency = rules_of(account.bill_type), account.currency
    facts: list[dict[str, Any]] = []
    if rules.uses_balance:
        facts = [
            {"label": _("Balance"), "value": format_money(account.balance, currency)},
            {
                "label": _("Credit limit"),
                "value": format_money(account.credit_limit, currency),
            },
            {
                "label": _("Available"),
                "value": format_money(account.available, currency),
                "help": _("%(balance)s + %(limit)s: what you can still spend.")
                % {
                    "balance": format_money(account.balance, currency),
                    "limit": format_money(account.credit_limit, currency),
                },
            },
        ]
    plan = effective_plan(account.plan, on=timezone.localdate())
    price = plan.price(Feature.LINE, Occurs.RECURRING)
    return [
        *facts,
        {"label": _("Billing type"), "value": account.get_bill_type_display()},
        {"label": _("Rate plan"), "value": account.plan.name},
        {
            "label": _("A telephone line"),
            "value": _("%(price)s per month, without taxes")
            % {"price": format_price(price.value, price.plan.currency)}
            if price is not None and price.plan is not None
            else _("as your provider is charged itself: the plan sets no price"),
        },
    ]


def chain_example() -> list[dict[str, str]]:
    """D 1.3: a call for 2.00 on its way down, 20 % and then 10 % added."""
    first, second = Decimal(2), Decimal("2.40")
    third = Decimal("2.64")
    return [
        {
            "who": _("The carrier"),
            "pays": format_money(first, "EUR"),
            "keeps": "",
        },
        {
            "who": _("System owner, adds 20 %"),
            "pays": format_money(second, "EUR"),
            "keeps": format_money(second - first, "EUR"),
        },
        {
            "who": _("Reseller, adds 10 %"),
            "pays": format_money(third, "EUR"),
            "keeps": format_money(third - second, "EUR"),
        },
        {"who": _("Customer"), "pays": format_money(third, "EUR"), "keeps": ""},
    ]


def _short(name: str) -> str:
    return Truncator(name).chars(LONGEST_NAME)
