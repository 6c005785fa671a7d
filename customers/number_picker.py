"""Finding a free number by digits, class and area, for the forms that pick one."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from customers.models import Number
from portal.core.urls import row_id
from rateplans.models import NumberClass

PICKER_SIZE = 12
MOST_AREAS = 200


def picker_context(
    request: HttpRequest, numbers: QuerySet[Number], *, chosen: str
) -> dict[str, Any]:
    """What customers/_number_options.html and the search fields above it show.

    ``numbers`` are the free ones to pick from; of those that fit what was searched the
    first few are given, and the ``chosen`` one (an id) always.
    """
    matching = _matching(request, numbers)
    found = list(matching[: PICKER_SIZE + 1])
    options, more = found[:PICKER_SIZE], len(found) > PICKER_SIZE
    chosen_id = row_id(chosen)
    if chosen_id is not None and all(number.pk != chosen_id for number in options):
        options = [*numbers.filter(pk=chosen_id), *options]
    areas = numbers.order_by("area").values_list("area", flat=True).distinct()
    return {
        "options": options,
        "more": more,
        "chosen": chosen,
        "classes": NumberClass.objects.all(),
        "areas": [name for name in areas[:MOST_AREAS] if name],
        "has_numbers": bool(options) or numbers.exists(),
    }


def _matching(request: HttpRequest, numbers: QuerySet[Number]) -> QuerySet[Number]:
    typed = "".join(c for c in request.GET.get("digits", "") if c in "0123456789")
    class_id = row_id(request.GET.get("number_class", ""))
    area = request.GET.get("area", "").replace("\x00", "").strip()
    # A leading zero belongs to the national way of writing; E.164 has none.
    if digits := typed.lstrip("0"):
        numbers = numbers.filter(number__contains=digits)
    if class_id is not None:
        numbers = numbers.filter(number_class=class_id)
    if area:
        numbers = numbers.filter(area=area)
    return numbers
