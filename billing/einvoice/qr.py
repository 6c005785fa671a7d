"""What a QR code says that fills in a SEPA transfer (EPC069-12), and its reference.

Banking apps read it; the amount, the account and the reference are then not typed.
"""

from __future__ import annotations

import re
from decimal import Decimal

from stdnum import iban as ibans
from stdnum import iso11649
from stdnum.iso7064 import mod_97_10

LOWEST, HIGHEST = Decimal("0.01"), Decimal("999999999.99")
LONGEST_NAME = 70
LONGEST_TEXT = 140
LONGEST_REFERENCE = 21  # of an RF reference, without its first four characters
LARGEST = 331  # bytes
CENT = Decimal("0.01")


def epc_text(
    *,
    name: str,
    iban: str,
    amount: Decimal,
    bic: str = "",
    reference: str = "",
    text: str = "",
) -> str:
    """The text of the code: a transfer of ``amount`` euros to ``name`` at ``iban``.

    ``reference`` is an RF reference of ISO 11649; ``text`` is for people. One of them at
    most may be given. A longer name is cut, as banks do.
    Raises ValueError for what no transfer can hold.
    """
    if not LOWEST <= amount <= HIGHEST or amount != amount.quantize(CENT):
        raise ValueError("an amount outside 0.01 to 999999999.99 euros")
    if not ibans.is_valid(iban):
        raise ValueError("not an IBAN")
    if reference and text:
        raise ValueError("a reference and a text")
    if reference and not iso11649.is_valid(reference):
        raise ValueError("not a reference of ISO 11649")
    if len(_line(text)) > LONGEST_TEXT:
        raise ValueError("a text of more than 140 characters")
    holder = _line(name)[:LONGEST_NAME].rstrip()
    if not holder:
        raise ValueError("no name")
    lines = [
        "BCD",
        "002",
        "1",  # UTF-8
        "SCT",
        _compact(bic),
        holder,
        _compact(iban),
        f"EUR{amount.quantize(CENT)}",
        "",  # the purpose, a code of four letters
        _compact(reference),
        _line(text),
    ]
    payload = "\n".join(lines).rstrip("\n")
    if len(payload.encode()) > LARGEST:
        raise ValueError("more than 331 bytes")
    return payload


def creditor_reference(number: str) -> str:
    """An RF reference of ISO 11649 made of an invoice's number: RF40RE20260001.

    Without blanks; letters and digits of ``number`` are kept, the last 21 of them: what
    tells invoices apart stands at the end. Raises ValueError where there are none.
    """
    kept = re.sub(r"[^0-9A-Z]", "", number.upper())[-LONGEST_REFERENCE:]
    if not kept:
        raise ValueError("no letter or digit to make a reference of")
    return f"RF{mod_97_10.calc_check_digits(kept + 'RF')}{kept}"


def _line(text: str) -> str:
    """On one line: a line break would begin the next field."""
    return " ".join(text.split())


def _compact(code: str) -> str:
    return re.sub(r"\s", "", code).upper()
