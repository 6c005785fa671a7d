"""Reading statements of banks: signs, columns, days, amounts, and what they name."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from billing.bank_csv import (
    AMOUNT,
    CURRENCY,
    DAY,
    LARGEST_FILE,
    MOST_LINES,
    NEEDED,
    PAYER,
    SIGN,
    TEXT,
    BankLine,
    columns_by_name,
    keys_of,
    read_lines,
    read_sheet,
)
from billing.bank_matching import creditor_reference, named_in, references
from billing.bank_values import decimal_mark, read_amount, read_day
from billing.import_problems import problem_text

GERMAN = """Kontoumsätze;DE02120300000000202051
Zeitraum;30 Tage

Buchungstag;Wertstellung;Beguenstigter/Zahlungspflichtiger;Verwendungszweck;Betrag;Währung
01.02.26;02.02.26;"Beta Voice; GmbH";RG 2026-00001;1.190,00;EUR
03.02.26;03.02.26;Stromwerk;Abschlag;-45,10;EUR
"""
ENGLISH = """Date,Description,Amount
01/31/2026,INV 2026-00001,"1,190.00"
02/01/2026,Fee,-4.50
"""


def lines_of(text: str, *, month_first: bool = False) -> list[BankLine]:
    sheet = read_sheet(text.encode())
    columns = columns_by_name(sheet.header)
    return read_lines(sheet.rows, columns, month_first=month_first)


def test_german_statement_with_lines_before_the_header() -> None:
    first, second = lines_of(GERMAN)
    assert first == BankLine(
        number=5,
        day=date(2026, 2, 2),
        amount=Decimal(1190),
        currency="EUR",
        payer="Beta Voice; GmbH",
        text="RG 2026-00001",
    )
    assert second.amount == Decimal("-45.10")


def test_american_statement_tells_its_order_of_days() -> None:
    found = lines_of(ENGLISH)
    assert [line.day for line in found] == [date(2026, 1, 31), date(2026, 2, 1)]
    assert [line.amount for line in found] == [1190, Decimal("-4.5")]


def test_old_encoding_is_read() -> None:
    sheet = read_sheet(GERMAN.encode("cp1252"))
    assert columns_by_name(sheet.header)[CURRENCY] == 5


def test_columns_are_known_by_their_names() -> None:
    header = ("Saldo", "VALUTA ", "Name", "Libellé", "Montant", "Devise")
    assert columns_by_name(header) == {
        DAY: 1,
        AMOUNT: 4,
        TEXT: 3,
        PAYER: 2,
        CURRENCY: 5,
    }


def test_unknown_words_leave_columns_to_the_person() -> None:
    sheet = read_sheet(b"a;b;c\n1;2;3\n")
    assert (sheet.header, columns_by_name(sheet.header)) == (("a", "b", "c"), {})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"only one column\nand another line\n",
        b"Date;Amount\n",
        b"%PDF-1.7\x00\x01",
        b"\x89PNG\r\n\x1a\n\x00",
        b"a;b\n" * (LARGEST_FILE // 4 + 1),
        b"Date;Amount;Text\n" + b"2026-01-01;1;x\n" * (MOST_LINES + 1),
        b"Date;Amount;Text\n2026-01-01;1;x" + b";" * 1000,
        b"PK\x03\x04zip",
        b"<html><body>Your session has ended</body></html>",
        b"<Document><BkToCstmrStmt><Stmt/></BkToCstmrStmt></Document>",
        b"<Document><Stmt",
    ],
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValidationError):
        read_sheet(data)


@pytest.mark.parametrize(
    ("amounts", "mark"),
    [
        (["1.190,00", "5,00"], ","),
        (["1,190.00"], "."),
        (["1.234"], ""),
        (["1.234", "12,5"], ","),
        (["1.234.567"], ","),
        (["100", "20"], ""),
        (["1,50", "1.50"], ""),
    ],
)
def test_decimal_mark_is_told_by_the_file(amounts: list[str], mark: str) -> None:
    assert decimal_mark(amounts) == mark


@pytest.mark.parametrize(
    ("text", "mark", "amount"),
    [
        ("1.234", "", None),
        ("1.234", ",", "1234"),
        ("1.234", ".", "1.234"),
        ("1.234,56 €", "", "1234.56"),
        ("EUR 12.50", "", "12.50"),
        ("12,50-", "", "-12.50"),
        ("-1'234.50", ".", "-1234.50"),
        ("+ 7", "", "7"),
        ("1.50", ",", None),
        ("12.34.56", "", None),
        ("1,23,456.00", ".", None),
        ("", "", None),
        ("abc", "", None),
        ("1e5", "", None),
        ("(12.50)", "", "-12.50"),
        ("12,50 S", "", "-12.50"),
        ("12,50 H", "", "12.50"),
        ("12,50 Soll", "", "-12.50"),
        ("1.234,50CR", "", "1234.50"),
        ("1,234.50 DR", "", "-1234.50"),
        ("\u22125,00", "", "-5"),
        ("1 234,50", "", "1234.50"),
        ("1\u202f234,50", "", "1234.50"),
        ("9" * 13, "", None),
        ("0,1234567", "", None),
        ("NaN", "", None),
    ],
)
def test_amounts_are_read_or_left(text: str, mark: str, amount: str | None) -> None:
    assert read_amount(text, mark) == (None if amount is None else Decimal(amount))


@pytest.mark.parametrize(
    ("text", "month_first", "day"),
    [
        ("2026-01-31", False, date(2026, 1, 31)),
        ("2026-01-31T10:00:00", False, date(2026, 1, 31)),
        ("20260131", False, date(2026, 1, 31)),
        ("31.1.26", True, date(2026, 1, 31)),
        ("03/04/2026", False, date(2026, 4, 3)),
        ("03/04/2026", True, date(2026, 3, 4)),
        ("2026/01/31", False, date(2026, 1, 31)),
        ("31.01.2026 10:22", False, date(2026, 1, 31)),
        ("31-01-26", True, date(2026, 1, 31)),
        ("31 Jan 2026", False, date(2026, 1, 31)),
        ("31-JAN-26", False, date(2026, 1, 31)),
        ("31. März 2026", False, date(2026, 3, 31)),
        ("1 févr. 2026", False, date(2026, 2, 1)),
        ("January 31, 2026", False, date(2026, 1, 31)),
        ("31 foo 2026", False, None),
        ("31.02.2026", False, None),
        ("31/31/2026", False, None),
        ("yesterday", False, None),
        ("", False, None),
    ],
)
def test_days_are_read_or_left(text: str, month_first: bool, day: date | None) -> None:
    assert read_day(text, month_first=month_first) == day


@pytest.mark.parametrize(
    "header",
    [
        # As banks' own exports begin; what is quoted may have line breaks within.
        "Buchungsdatum;Wertstellung;Status;Zahlungspflichtige*r;Zahlungsempfänger*in;"
        "Verwendungszweck;Umsatztyp;IBAN;Betrag (€)",
        "Auftragskonto;Buchungstag;Valutadatum;Buchungstext;Verwendungszweck;Glaeubiger ID;"
        "Beguenstigter/Zahlungspflichtiger;Kontonummer/IBAN;Betrag;Waehrung;Info",
        "Buchung;Wertstellungsdatum;Auftraggeber/Empfänger;Buchungstext;Verwendungszweck;"
        "Saldo;Währung;Betrag;Währung",
        "Buchungstag;Wertstellung (Valuta);Vorgang;Buchungstext;Umsatz in EUR",
        "Booking Date;Value Date;Partner Name;Partner Iban;Type;Payment Reference;"
        "Account Name;Amount (EUR)",
        "Posting Date;Description;Amount;Type;Balance",
        "Date;Description;Money In;Money Out",
        "Datum;Naam / Omschrijving;Rekening;Code;Af Bij;Bedrag (EUR);Mededelingen",
        "Date de valeur;Libellé;Montant;Devise",
    ],
)
def test_headers_of_banks_are_known(header: str) -> None:
    assert columns_by_name(header.split(";")).keys() >= set(NEEDED)


STATEMENT = "Datum;Betrag;Verwendungszweck;Name\n31.01.2026;1.234,50;RG ä 1;Beta\n"


@pytest.mark.parametrize(
    "data",
    [
        STATEMENT.encode(),
        STATEMENT.encode("utf-8-sig"),
        STATEMENT.encode("latin-1"),
        STATEMENT.encode("utf-16"),
        STATEMENT.encode("utf-16-le"),
        STATEMENT.encode("utf-16-be"),
        STATEMENT.replace("\n", "\r\n").encode(),
        STATEMENT.replace(";", "\t").encode(),
        STATEMENT.replace("1.234,50", '"1,234.50"').replace(";", ",").encode(),
        STATEMENT.replace(";", "|").encode(),
        f"sep=;\n{STATEMENT}".encode(),
        STATEMENT.replace("RG ä 1", '"RG\nä 1"').encode(),
        STATEMENT.replace("RG ä 1", '"RG ä\r\n1"').encode(),
    ],
)
def test_one_statement_in_every_form_says_the_same(data: bytes) -> None:
    sheet = read_sheet(data)
    [line] = read_lines(sheet.rows, columns_by_name(sheet.header), month_first=False)
    assert (line.day, line.amount) == (date(2026, 1, 31), Decimal("1234.5"))
    assert (line.text, line.payer, line.problem) == ("RG ä 1", "Beta", "")


def test_line_behind_a_note_to_excel_keeps_its_number() -> None:
    assert [number for number, _row in read_sheet(b"sep=;\na;b\n1;2\n").rows] == [3]


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        *(("H", "5"), ("Haben", "5"), ("C", "5"), ("Bij", "5"), ("", "5")),
        *(("S", "-5"), ("soll", "-5"), ("Debit", "-5"), ("Af", "-5"), ("?", None)),
    ],
)
def test_another_column_says_whether_money_came(said: str, amount: str | None) -> None:
    rows = [(1, ("31.01.2026", "5,00", said, "x"))]
    columns = {DAY: 0, AMOUNT: 1, SIGN: 2, TEXT: 3}
    [line] = read_lines(rows, columns, month_first=False)
    assert line.amount == (None if amount is None else Decimal(amount))
    assert bool(line.problem) == (amount is None)


CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE Document [<!ENTITY secret SYSTEM "file:///etc/hostname">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt><Stmt>
<Ntry><Amt Ccy="EUR">1190.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>{booked}</Sts>
<BookgDt><Dt>2026-01-30</Dt></BookgDt><ValDt><Dt>2026-01-31</Dt></ValDt>
<NtryDtls><TxDtls><RltdPties><Dbtr>{name}</Dbtr></RltdPties>
<RmtInf><Ustrd>RG 2026-</Ustrd><Ustrd>00001 &secret;</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">30.125</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>{booked}</Sts>
<ValDt><DtTm>2026-02-01T10:00:00</DtTm></ValDt><NtryDtls>
<TxDtls><AmtDtls><TxAmt><Amt Ccy="EUR">10.125</Amt></TxAmt></AmtDtls></TxDtls>
<TxDtls><AmtDtls><TxAmt><Amt Ccy="EUR">20</Amt></TxAmt></AmtDtls>
<RmtInf><Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf></TxDtls>
</NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>{pending}</Sts></Ntry>
</Stmt></BkToCstmrStmt></Document>"""


@pytest.mark.parametrize(
    "values",
    [
        {"version": "02", "booked": "BOOK", "pending": "PDNG", "name": "<Nm>Beta</Nm>"},
        {
            "version": "08",
            "booked": "<Cd>BOOK</Cd>",
            "pending": "<Cd>PDNG</Cd>",
            "name": "<Pty><Nm>Beta</Nm></Pty>",
        },
    ],
)
def test_camt_statement_is_read_as_its_bookings(values: dict[str, str]) -> None:
    sheet = read_sheet(CAMT.format(**values).encode())
    columns = columns_by_name(sheet.header)
    first, *parts = read_lines(sheet.rows, columns, month_first=True)
    assert first == BankLine(
        number=1,
        day=date(2026, 1, 31),
        amount=Decimal(1190),
        currency="EUR",
        payer="Beta",
        text="RG 2026- 00001",
    )
    assert [line.amount for line in parts] == [Decimal("-10.125"), Decimal(-20)]
    assert [line.day for line in parts] == [date(2026, 2, 1)] * 2
    assert parts[1].text == "RF18539007547034"


def test_problem_says_what_could_not_be_read() -> None:
    [first, second, third] = lines_of(
        "Date;Amount;Text\n2026-01-01;1.234;x\nsoon;5,00 x;y\nsoon;5;z\n"
    )
    assert problem_text(first.problem) == "The amount cannot be read for certain: 1.234"
    assert second.amount is None
    assert problem_text(third.problem) == "The day cannot be read: soon"


def test_same_line_has_the_same_key_in_every_file() -> None:
    first = keys_of(lines_of(GERMAN))
    other = GERMAN.replace("Zeitraum;30 Tage\n", "").replace(
        "Beta Voice", "BETA  VOICE"
    )
    assert keys_of(lines_of(other)) == first
    assert len(set(first)) == 2


def test_two_transfers_alike_are_two() -> None:
    twice = ENGLISH + '01/31/2026,INV 2026-00001,"1,190.00"\n'
    keys = keys_of(lines_of(twice))
    assert len(set(keys)) == 3
    assert keys[0] == keys_of(lines_of(ENGLISH))[0]


# --- References -----------------------------------------------------------------------

KNOWN = references({1: "2026-00001", 2: "2026-00012", 3: "AC/77", 4: "12"})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Rechnung 2026-00001", {1}),
        ("rg.202600001 danke", {1}),
        ("2026 - 00001", {1}),
        ("2026 00001", {1}),
        ("2026-0\n0001", {1}),
        ("RE2026-00001", {1}),
        ("2026-000012", set()),
        ("12026-00001", set()),
        ("2026-00001 2026-00012", {1, 2}),
        ("2026-00001 01.02.2026", {1}),
        ("ac 77", {3}),
        ("AC/771", set()),
        ("house 12", set()),
        (creditor_reference("2026-00001"), {1}),
        ("RF00202600001", set()),
        ("nothing", set()),
        ("Straße ßßß 2026-00001", {1}),
        ("ß2026-000012", set()),
    ],
)
def test_references_are_found_in_texts(text: str, found: set[int]) -> None:
    assert named_in(text, KNOWN) == found
