"""The database is the last judge; this tells its verdict as a form error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, connection, models, transaction
from django.utils.translation import gettext as _


@contextmanager
def at_field(name: str) -> Iterator[None]:
    """Put a ValidationError about one value at the form field it came from."""
    try:
        yield
    except ValidationError as error:
        raise ValidationError({name: error}) from error


@contextmanager
def refusals(model: type[models.Model], fields: Mapping[str, str]) -> Iterator[None]:
    """Turn a violated constraint into a ValidationError at the field it is about.

    ``fields`` maps constraint names to form fields; the message is the constraint's own.
    The surrounding transaction stays usable. Other violations are raised as they are.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
        if name not in fields:
            raise
        refusal = ValidationError(constraint_message(model, name), code="taken")
        raise ValidationError({fields[name]: refusal}) from error


@contextmanager
def kept_whole() -> Iterator[None]:
    """A transaction, refused if at its end a row points to one that is gone.

    Left to itself the database says so when the transaction ends, too late for a sentence:
    one person deletes what another begins to use at the same moment. Numbers that are too
    large are refused as well: computed ones can be, though no field took too many digits.
    """
    try:
        with transaction.atomic():
            yield
            connection.check_constraints()
    except IntegrityError as error:
        if not isinstance(error.__cause__, psycopg.errors.ForeignKeyViolation):
            raise
        raise ValidationError(
            _(
                "Somebody has changed something at this very moment: what you chose is"
                " gone, or what you delete is used now. Check it and try again."
            ),
            code="gone",
        ) from error
    except DataError as error:
        if not isinstance(error.__cause__, psycopg.errors.NumericValueOutOfRange):
            raise
        raise ValidationError(
            _("An amount that comes of this is too large to be kept."), code="too_large"
        ) from error


def constraint_message(model: type[models.Model], name: str) -> str:
    """The sentence for people of the constraint ``name`` of ``model``."""
    constraint = next(each for each in model._meta.constraints if each.name == name)
    return str(constraint.violation_error_message)
