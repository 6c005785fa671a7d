"""How a form's fields become HTML: as Django does it, but lists of choices in one go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.utils.formats import localize
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

SELECT = "django/forms/widgets/select.html"
OPTION = "django/forms/widgets/select_option.html"


class FormRenderer(DjangoTemplates):
    """Django's own, which draws two templates for each option: a form has a thousand."""

    def render(
        self, template_name: str, context: dict[str, Any], request: Any = None
    ) -> str:
        if template_name == SELECT and _is_plain(context["widget"]):
            return _select(context["widget"])
        return super().render(template_name, context, request)


def _is_plain(widget: Mapping[str, Any]) -> bool:
    """Whether its options look like Django's."""
    return all(
        option["template_name"] == OPTION
        for _name, options, _index in widget["optgroups"]
        for option in options
    )


def _select(widget: Mapping[str, Any]) -> SafeString:
    """What the template `SELECT` makes of it."""
    lines = [f'<select name="{_said(widget["name"])}"{_attributes(widget["attrs"])}>']
    for name, options, _index in widget["optgroups"]:
        if name:
            lines.append(f'<optgroup label="{_said(name)}">')
        lines += _options(options)
        if name:
            lines.append("</optgroup>")
    lines.append("</select>")
    return mark_safe("\n".join(lines))


def _options(options: list[dict[str, Any]]) -> Iterator[str]:
    for option in options:
        value = conditional_escape(option["value"])
        attributes = _attributes(option["attrs"]) if option["attrs"] else ""
        yield f'<option value="{value}"{attributes}>{_said(option["label"])}</option>'


def _attributes(attributes: Mapping[str, Any]) -> str:
    return "".join(
        f" {_said(name)}"
        if value is True
        else f' {_said(name)}="{conditional_escape(value)}"'
        for name, value in attributes.items()
        if value is not False
    )


def _said(value: Any) -> str:
    return conditional_escape(localize(value))
