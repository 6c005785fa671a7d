"""Writes an invoice as a file: the same bytes that its customer gets."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from billing.choices import FileKind
from billing.einvoice.rules import RulesError
from billing.models import Invoice
from billing.services.invoice_files import file_of
from customers.models import Customer
from portal.core.scope import scopes_disabled
from portal.core.urls import row_id


class Command(BaseCommand):
    help = (
        "Write an issued invoice or credit note as PDF, UBL or CII. A file that was made"
        " before is written as it is; one that was not is made and kept. Exits with 1 and"
        " the reason if there is no such invoice, or its XML breaks the rules."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", metavar="NUMBER", help="such as 2026-00042")
        parser.add_argument(
            "--format", required=True, choices=FileKind.values, help="what to write"
        )
        parser.add_argument(
            "--issuer",
            metavar="NAME-or-id",
            help="the customer who issued it, if several gave out this number",
        )
        parser.add_argument(
            "--output", metavar="FILE", help="where to; to standard output if left out"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for name in ("number", "issuer", "output"):
            _refuse_unreadable(name, options[name] or "")
        with scopes_disabled():  # a command of the operator, who may see all
            invoice = _found(options["number"], options["issuer"])
            try:
                data = bytes(file_of(invoice, FileKind(options["format"])).data)
            except ValidationError as error:
                reasons = "\n".join(error.messages)
                raise CommandError(
                    f"Invoice {invoice.number} breaks the rules, so no file was made:"
                    f"\n{reasons}"
                ) from error
            except RulesError as error:
                raise CommandError(
                    f"The rules of electronic invoices could not be asked: {error}"
                ) from error
        if options["output"]:
            _write(Path(options["output"]), data)
        else:
            stream = getattr(self.stdout._out, "buffer", None)
            if stream is None:
                raise CommandError(
                    "Name a file with --output: this is no place for one."
                )
            stream.write(data)
            stream.flush()


def _refuse_unreadable(name: str, text: str) -> None:
    """Bytes of the command line that are no UTF-8 arrive as halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CommandError(f"The {name} is not written in UTF-8.") from error
    if "\0" in text:
        raise CommandError(f"The {name} holds a character of value 0.")


def _found(number: str, issuer: str | None) -> Invoice:
    """The one invoice that is meant. Raises CommandError if there is none, or more."""
    found = Invoice.objects.filter(number=number).exclude(number="")
    if issuer is not None:
        found = found.filter(issuer__in=_issuers(issuer))
    invoices = list(found.select_related("issuer").order_by("issuer")[:10])
    if not invoices:
        by = f" of {issuer}" if issuer else ""
        raise CommandError(f"There is no invoice with the number {number}{by}.")
    if len(invoices) > 1:
        lines = [
            f"  --issuer {each.issuer_id}  {each.issuer.name}" for each in invoices
        ]
        raise CommandError(
            "\n".join([f"Several gave out the number {number}. Say whose:", *lines])
        )
    return invoices[0]


def _issuers(text: str) -> list[int]:
    """Who is meant by an id, or by a name without regard to case."""
    pk = row_id(text)
    named = Customer.objects.filter(name__iexact=text.strip())
    found = list(named.values_list("pk", flat=True))
    if pk is not None and Customer.objects.filter(pk=pk).exists():
        found.append(pk)
    if not found:
        raise CommandError(f"There is no customer {text}.")
    return found


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from error
