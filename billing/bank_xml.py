"""The statement of a bank as XML: camt.053 and camt.052 of ISO 20022, in all its versions.

What it says is given as rows with a header, as a CSV file has them. No queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from io import BytesIO

from lxml import etree

HEADER = (
    *("value date", "amount", "currency", "credit/debit"),
    *("counterparty", "remittance information"),
)
_PLACES = Decimal("1e-6")  # so many that no one takes the point for one of thousands


def looks_like_xml(data: bytes) -> bool:
    return data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def rows_of(data: bytes) -> list[tuple[str, ...]]:
    """One row for each transaction that is booked; of an entry without any, the entry.

    Raises ValueError for XML that is no statement, or none at all.
    """
    found: list[tuple[str, ...]] = []
    is_statement = False
    try:
        # Entities stay unread, and nothing is fetched.
        for _event, element in etree.iterparse(
            BytesIO(data),
            tag=("{*}Ntry", "{*}Stmt", "{*}Rpt"),
            resolve_entities=False,
            no_network=True,
        ):
            if etree.QName(element).localname != "Ntry":
                is_statement = True
            elif _text(element, "Sts", "Sts/Cd") in {"BOOK", ""}:
                found += _rows(element)
            element.clear()
    except (etree.XMLSyntaxError, InvalidOperation) as error:
        raise ValueError("no statement") from error
    if not is_statement:
        raise ValueError("no statement")
    return found


def _rows(entry: etree._Element) -> Iterator[tuple[str, ...]]:
    day = _text(entry, *("ValDt/Dt", "ValDt/DtTm", "BookgDt/Dt", "BookgDt/DtTm"))
    sign = _text(entry, "CdtDbtInd")
    parts = entry.findall("{*}NtryDtls/{*}TxDtls")
    for part in parts or [entry]:
        amount = _first(part, "AmtDtls/TxAmt/Amt", "Amt")
        if amount is None or len(parts) < 2:  # alone, it is all of the entry
            amount = _first(entry, "Amt")
        if amount is None:
            continue
        yield (
            day,
            f"{Decimal(amount.text or '').quantize(_PLACES):f}",
            amount.get("Ccy", ""),
            _text(part, "CdtDbtInd") or sign,
            _text(part, *("RltdPties/Dbtr/Nm", "RltdPties/Dbtr/Pty/Nm")),
            _words(part) or _text(entry, "AddtlNtryInf"),
        )


def _words(part: etree._Element) -> str:
    """All that the payer wrote: free words, the reference, its own number."""
    paths = ("RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref", "Refs/EndToEndId")
    said = [each.text or "" for path in paths for each in part.iterfind(_path(path))]
    return " ".join(text.strip() for text in said if text.strip() != "NOTPROVIDED")


def _first(node: etree._Element, *paths: str) -> etree._Element | None:
    found = (node.find(_path(path)) for path in paths)
    return next((each for each in found if each is not None), None)


def _text(node: etree._Element, *paths: str) -> str:
    said = (node.findtext(_path(path)) or "" for path in paths)
    return next((text.strip() for text in said if text.strip()), "")


def _path(path: str) -> str:
    return "/".join(f"{{*}}{step}" for step in path.split("/"))
