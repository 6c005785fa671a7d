"""manage.py export_invoice: the stored file, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from billing.choices import FileKind
from billing.models import Invoice, InvoiceFile
from billing.services.invoice_files import file_of
from portal.core.scope import scopes_disabled
from tests.invoicing.bills import seller
from tests.invoicing.pages import invoice_of
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def invoice(world: World) -> Invoice:
    seller(world.acme)
    return invoice_of(world.beta)


def export(*arguments: str) -> bytes:
    """What the command writes to standard output."""
    written = BytesIO()
    stream = TextIOWrapper(written)  # kept: with it the bytes would be closed
    call_command("export_invoice", *arguments, stdout=stream)
    return written.getvalue()


@pytest.mark.parametrize("kind", FileKind)
def test_it_writes_the_stored_file(
    invoice: Invoice, kind: FileKind, tmp_path: Path
) -> None:
    data = export(invoice.number, "--format", kind)
    assert data == bytes(file_of(invoice, kind).data)
    path = tmp_path / "file"
    assert export(invoice.number, "--format", kind, "--output", str(path)) == b""
    assert path.read_bytes() == data
    assert InvoiceFile.objects.filter(kind=kind).count() == 1


def test_number_of_several_issuers_asks_whose(world: World, invoice: Invoice) -> None:
    seller(world.beta)
    other = invoice_of(world.gamma)
    assert other.number == invoice.number
    with pytest.raises(CommandError) as caught:
        export(invoice.number, "--format", "ubl")
    for each in (world.acme, world.beta):
        assert f"--issuer {each.pk}  {each.name}" in str(caught.value)
    for issuer in (str(world.beta.pk), "beta VOICE"):
        data = export(invoice.number, "--format", "ubl", "--issuer", issuer)
        assert data == bytes(file_of(other, FileKind.UBL).data)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["2026-99999", "--format", "pdf"], "no invoice with the number 2026-99999"),
        (["", "--format", "pdf"], "no invoice with the number"),
        (["{number}", "--format", "pdf", "--issuer", "Nobody"], "no customer Nobody"),
        (
            ["{number}", "--format", "pdf", "--issuer", "Rival Phones"],
            "no invoice with the number {number} of Rival Phones",
        ),
        (["{number}", "--format", "docx"], "invalid choice"),
        (["{number}", "--format", "ubl", "--output", "/proc/x/y"], "cannot be written"),
        (["\udcff", "--format", "pdf"], "The number is not written in UTF-8."),
        (
            ["{number}", "--format", "pdf", "--issuer", "Caf\udce9"],
            "The issuer is not written in UTF-8.",
        ),
        (["{number}", "--format", "pdf", "--output", "a\0b"], "The output holds"),
    ],
)
def test_what_cannot_be_exported_is_told(
    invoice: Invoice, arguments: list[str], reason: str
) -> None:
    filled = [each.format(number=invoice.number) for each in arguments]
    with pytest.raises(CommandError) as caught:
        export(*filled)
    assert reason.format(number=invoice.number) in str(caught.value)


def test_xml_that_breaks_the_rules_is_not_written(world: World) -> None:
    seller(world.acme, vat_id="")
    invoice = invoice_of(world.beta)
    with pytest.raises(CommandError, match=r"breaks the rules(.|\n)*BR-"):
        export(invoice.number, "--format", "ubl")
    assert not InvoiceFile.objects.exists()
