"""Customers whose credit needs somebody, as pills that lead to them."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from customers.filters.customers import LOW, OUT
from customers.selectors import MANY_MATCHES


def attention_links(url: str, counts: dict[str, int]) -> list[dict[str, str]]:
    """Pills that lead into the list at ``url``; none for what does not occur."""
    texts = {
        OUT: ("danger", "circle-alert", _("Out of credit: %(count)s")),
        LOW: ("warning", "trending-down", _("Low balance: %(count)s")),
    }
    return [
        {
            "kind": kind,
            "icon": icon,
            "label": text % {"count": count_text(counts[status])},
            "url": f"{url}?status={status}",
        }
        for status, (kind, icon, text) in texts.items()
        if counts[status]
    ]


def count_text(count: int) -> str:
    """A count that ended at a limit says so."""
    if count > MANY_MATCHES:
        return _("more than %(limit)s") % {
            "limit": number_format(MANY_MATCHES, force_grouping=True)
        }
    return number_format(count)
