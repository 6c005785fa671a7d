"""Lists of choices look as Django's templates draw them."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates, get_default_renderer
from django.template import Context, Template, TemplateSyntaxError
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from portal.core.rendering import FormRenderer
from rateplans.choices import BillType

GROUPS = [
    ("", "None"),
    ("A & B", [(1, "One"), (2, "<Two>")]),
    (mark_safe("C&amp;D"), []),
]


class Marked(forms.Select):
    """Its options carry attributes."""

    def create_option(self, *args: Any, **kwargs: Any) -> Any:
        option = super().create_option(*args, **kwargs)
        option["attrs"] |= {"data-rank": 1200, "data-on": True, "data-off": False}
        return option


class Unlike(forms.Select):
    option_template_name = "django/forms/widgets/input_option.html"


def lines(html: str) -> list[str]:
    return [line.strip() for line in html.splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("widget", "value"),
    [
        (forms.Select(choices=[]), None),
        (forms.Select(choices=[("a", "A"), ("b", gettext_lazy("Name"))]), "b"),
        (forms.Select(choices=BillType.choices), BillType.POSTPAID),
        (forms.Select(choices=GROUPS), 2),
        (forms.SelectMultiple(choices=GROUPS), [1, 2]),
        (forms.NullBooleanSelect(), True),
        (forms.Select(choices=[('"', mark_safe("<b>x</b>")), (None, 1234.5)]), '"'),
        (Marked(choices=[("a", "'A'")], attrs={"data-x": mark_safe("&amp;")}), "a"),
        (Unlike(choices=[("a", "A")]), "a"),
    ],
)
def test_choices_are_drawn_as_django_does(widget: forms.Select, value: Any) -> None:
    attrs = {"id": "id_<x>", "required": True, "disabled": False, "data-n": 5000}
    drawn = [
        widget.render("na&me", value, attrs, renderer=renderer)
        for renderer in (FormRenderer(), DjangoTemplates())
    ]
    assert lines(drawn[0]) == lines(drawn[1])
    assert "<select" in drawn[0]


def test_forms_are_drawn_by_it() -> None:
    assert isinstance(get_default_renderer(), FormRenderer)


def test_icons_are_lucides_and_drawn_once() -> None:
    tag = '{% load lucide %}{% lucide "phone" size=16 class=name %}'
    drawn = [Template(tag).render(Context({"name": name})) for name in ("a", "a", "<")]
    assert drawn[0] == drawn[1] != drawn[2]
    assert 'class="a"' in drawn[0]
    assert 'width="16"' in drawn[0]
    assert 'class="&lt;"' in drawn[2]
    with pytest.raises(TemplateSyntaxError):
        Template("{% load lucide %}{% lucide %}")
