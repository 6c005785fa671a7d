"""What invoices say of the demo's sellers and buyers, by the names of `cast`.

VAT IDs, bank accounts and addresses pass every check, and are nobody's: digits in a row,
the range that GS1 keeps for examples, numbers that tax offices publish for tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing.party_choices import EndpointScheme, UntaxedCategory, VatTreatment

Values = Mapping[str, Any]

SELLERS: dict[str, Values] = {
    "Trunk Systems": {
        "legal_name": "Trunk Systems AG",
        "register_number": "HRB 100001",
        "legal_form": "Aktiengesellschaft, Amtsgericht Frankfurt am Main",
        "vat_id": "DE100000008",
        "tax_number": "045 000 00001",
        "endpoint_scheme": EndpointScheme.GLN,
        "endpoint_id": "9520000000011",
        "contact_name": "Accounts",
        "contact_telephone": "+49 69 90009 100",
        "contact_email": "accounts@trunk-systems.example",
        "iban": "DE17123456780000000001",
        "bic": "EXMPDEFFXXX",
        "bank_name": "Beispielbank Frankfurt",
        "books_currency": "EUR",
    },
    "Nordwind Telekom": {
        "legal_name": "Nordwind Telekom GmbH",
        "trading_name": "Nordwind",
        "register_number": "HRB 123456",
        "legal_form": "GmbH, Amtsgericht Hamburg; Geschäftsführerin: Anna Weber",
        "vat_id": "DE123456788",
        "tax_number": "48/000/00002",
        "endpoint_scheme": EndpointScheme.DE_VAT,
        "endpoint_id": "DE123456788",
        "contact_name": "Buchhaltung",
        "contact_telephone": "+49 40 66969 100",
        "contact_email": "buchhaltung@nordwind.example",
        "iban": "DE87123456780000000002",
        "bic": "EXMPDEHHXXX",
        "bank_name": "Beispielbank Hamburg",
        "payment_terms": "Payable without deduction.",
        "books_currency": "EUR",
        "copy_invoices": True,
    },
    # A small firm that only has the number of its tax office.
    "Fischer & Söhne Kommunikation": {
        "legal_name": "Heinz Fischer & Söhne OHG",
        "register_number": "HRA 10003",
        "legal_form": "OHG, Amtsgericht Bremen",
        "tax_number": "60 000 00003",
        "contact_name": "Lena Fischer",
        "iban": "DE60123456780000000003",
        "bank_name": "Beispielbank Bremen",
    },
    "Harbour Voice": {
        "legal_name": "Harbour Voice Ltd",
        "register_number": "00000004",
        "legal_form": "Registered in England and Wales",
        "vat_id": "GB999999973",
        "endpoint_scheme": EndpointScheme.GB_VAT,
        "endpoint_id": "GB999999973",
        "contact_name": "Credit control",
        "contact_email": "ledger@harbour-voice.example",
        "iban": "GB09EXMP12345600000001",
        "bic": "EXMPGB2LXXX",
        "books_currency": "GBP",
        "reviews_invoices": True,
    },
    # Outside the world of VAT: sales tax and levies are surcharges, no IBAN.
    "Bluebird Communications": {
        "legal_name": "Bluebird Communications Inc.",
        "register_number": "NY 0000005",
        "legal_form": "A New York corporation",
        "tax_number": "EIN 00-0000005",
        "contact_name": "Accounts receivable",
        "account_number": "000000000005",
        "bank_code": "000000000",
        "bank_name": "Example Bank of New York",
        "untaxed_category": UntaxedCategory.OUTSIDE,
    },
}

# Without an entry a customer has its name and address, which is enough to be invoiced.
BUYERS: dict[str, Values] = {
    "Nordwind Telekom": {
        "legal_name": "Nordwind Telekom GmbH",
        "register_number": "HRB 123456",
        "tax_reference": "DE123456788",
        "endpoint_scheme": EndpointScheme.DE_VAT,
        "endpoint_id": "DE123456788",
        "buyer_reference": "Einkauf Sprache",
    },
    "Harbour Voice": {
        "legal_name": "Harbour Voice Ltd",
        "tax_reference": "GB999999973",
        "vat_treatment": VatTreatment.OUTSIDE,
        "vat_reason": "Place of supply outside the EU",
        "order_reference": "HV-2026-001",
    },
    "Bluebird Communications": {
        "legal_name": "Bluebird Communications Inc.",
        "vat_treatment": VatTreatment.OUTSIDE,
    },
    "Bäckerei Morgenrot": {
        "legal_name": "Bäckerei Morgenrot GmbH & Co. KG",
        "register_number": "HRA 111111",
        "tax_reference": "DE111111117",
        "endpoint_scheme": EndpointScheme.DE_VAT,
        "endpoint_id": "DE111111117",
        "buyer_reference": "Filiale Altona",
    },
    "Reederei Jansen & Co.": {
        "legal_name": "Reederei Jansen & Co. KG",
        "tax_reference": "DE121212122",
        "endpoint_scheme": EndpointScheme.GLN,
        "endpoint_id": "9520000000028",
        "order_reference": "PO-88-0017",
    },
    "Steuerkanzlei Brandt & Partner": {
        "legal_name": "Brandt & Partner Steuerberatungsgesellschaft mbB",
        "tax_reference": "DE131313131",
        "buyer_reference": "Kanzlei",
    },
    "Hotel Alsterblick": {
        "legal_name": "Hotel Alsterblick Betriebs GmbH",
        "register_number": "HRB 141414",
        "tax_reference": "DE141414140",
        "endpoint_scheme": EndpointScheme.DE_VAT,
        "endpoint_id": "DE141414140",
        "buyer_reference": "Kostenstelle 4711",
        "order_reference": "AB-2026-12",
    },
    "Kinderhaus Regenbogen e. V.": {"buyer_reference": "Telefon, Büro 1"},
    # Abroad in the EU, so it owes the VAT itself.
    "Seilbahnen Alpenblick": {
        "legal_name": "Seilbahnen Alpenblick GmbH",
        "register_number": "FN 123456a",
        "tax_reference": "ATU12345675",
        "vat_treatment": VatTreatment.REVERSE_CHARGE,
        "endpoint_scheme": EndpointScheme.AT_VAT,
        "endpoint_id": "ATU12345675",
        "buyer_reference": "Talstation",
    },
    # Its VAT ID has been asked for, twice.
    "Ferienhof Arlberg": {"vat_treatment": VatTreatment.REVERSE_CHARGE},
    "O'Connor & Daughters": {
        "legal_name": "O'Connor & Daughters Ltd",
        "tax_reference": "GB999999931",
        "endpoint_scheme": EndpointScheme.GB_VAT,
        "endpoint_id": "GB999999931",
        "order_reference": "OCD/17",
    },
    "Hudson Dental Group": {
        "legal_name": "Hudson Dental Group LLC",
        "buyer_reference": "Suite 300",
    },
}
