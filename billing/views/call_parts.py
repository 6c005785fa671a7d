"""Calls at once in words: what a product gives more of, and what an account may have."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from billing.calls_at_once import CallsAtOnce
from billing.choices import CallKind, ProductType

_MORE = {
    ProductType.CALLS_IN: ngettext_lazy(
        "%(count)d more inbound call at once",
        "%(count)d more inbound calls at once",
        "count",
    ),
    ProductType.CALLS_OUT: ngettext_lazy(
        "%(count)d more outbound call at once",
        "%(count)d more outbound calls at once",
        "count",
    ),
    ProductType.CALLS_IN_OUT: ngettext_lazy(
        "%(count)d more call at once, inbound or outbound",
        "%(count)d more calls at once, inbound or outbound",
        "count",
    ),
    ProductType.CALLS_TOTAL: ngettext_lazy(
        "%(count)d more call at once of any kind, also for customers below",
        "%(count)d more calls at once of any kind, also for customers below",
        "count",
    ),
    ProductType.CALLS_IN_TOTAL: ngettext_lazy(
        "%(count)d more inbound call at once, also for customers below",
        "%(count)d more inbound calls at once, also for customers below",
        "count",
    ),
    ProductType.CALLS_OUT_TOTAL: ngettext_lazy(
        "%(count)d more outbound call at once, also for customers below",
        "%(count)d more outbound calls at once, also for customers below",
        "count",
    ),
    ProductType.CALLS_IN_OUT_TOTAL: ngettext_lazy(
        "%(count)d more call at once, inbound or outbound, also for customers below",
        "%(count)d more calls at once, inbound or outbound, also for customers below",
        "count",
    ),
}


def more_calls(type_: str, count: int) -> str:
    """ "10 more inbound calls at once": what was bought, or is on offer."""
    return str(_MORE[ProductType(type_)] % {"count": count})


def call_items(calls: CallsAtOnce, *, has_customers: bool) -> list[dict[str, Any]]:
    """What an account may have at once, for _components/detail_list.html.

    One item, or one for each kind of call where they are not alike.
    """
    kinds = list(CallKind)
    values = {_extra(calls, kind) for kind in kinds}
    if calls.is_unlimited or len(values) == 1:
        return [_item(_("Calls at once"), calls, kinds[0], has_customers)]
    return [_item(kind.label, calls, kind, has_customers) for kind in kinds]


def _extra(calls: CallsAtOnce, kind: CallKind) -> tuple[int, int]:
    return calls.extra(kind), calls.extra(kind, is_below=True)


def _item(
    label: Any, calls: CallsAtOnce, kind: CallKind, has_customers: bool
) -> dict[str, Any]:
    bought, below = _extra(calls, kind)
    if calls.is_unlimited:
        return {"label": label, "value": _("No limit"), "help": _idle(calls)}
    source = (
        _("%(limit)d set for the account")
        if calls.is_own
        else _("%(limit)d from the plan")
    )
    text = source % {"limit": calls.limit}
    if bought:
        text = _("%(limit)s + %(bought)d bought") % {"limit": text, "bought": bought}
    own = bought - below
    return {
        "label": label,
        "value": calls.allowed(kind),
        "help": f"{text}. {_own_only(own)}".strip() if own and has_customers else text,
    }


def _own_only(count: int) -> str:
    return ngettext(
        "%(count)d of them is not for customers below.",
        "%(count)d of them are not for customers below.",
        count,
    ) % {"count": count}


def _idle(calls: CallsAtOnce) -> str:
    """Bought while there was a limit; whoever pays for it should know."""
    if not (count := sum(calls.bought.values())):
        return ""
    return ngettext(
        "%(count)d bought call counts as soon as there is a limit again.",
        "%(count)d bought calls count as soon as there is a limit again.",
        count,
    ) % {"count": count}
