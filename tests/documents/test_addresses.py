"""Addresses in the order of their country, and what an envelope says of it."""

from __future__ import annotations

import pytest
from django.utils import translation

from billing.invoicing.sides import envelope
from customers.models import Customer
from portal.core.countries import COUNTRY_CODES
from portal.core.postal import PostalAddress, postal_lines

# Country, street, city, region, post code: the lines below the street.
PLACES = {
    ("DE", "Lange Straße 1", "Berlin", "", "10115"): ["10115 Berlin"],
    ("DE", "Lange Straße 1", "Berlin", "Berlin", "10115"): ["10115 Berlin"],
    ("AT", "Ring 1", "Wien", "", "1010"): ["1010 Wien"],
    ("CH", "Bahnhofstrasse 1", "Zürich", "", "8001"): ["8001 Zürich"],
    ("FR", "1 rue de la Paix", "Paris", "", "75002"): ["75002 Paris"],
    ("IT", "Via Roma 1", "Modena", "MO", "41121"): ["41121 Modena MO"],
    ("US", "100 Main Street", "Asheville", "NC", "28801"): ["Asheville, NC 28801"],
    ("US", "100 Main Street", "Asheville", "", "28801"): ["Asheville 28801"],
    ("US", "100 Main Street", "Asheville", "NC", ""): ["Asheville, NC"],
    ("GB", "10 Quay Street", "Bristol", "", "BS1 4QA"): ["Bristol", "BS1 4QA"],
    ("GB", "1 High Street", "Hythe", "Kent", "CT21 5AA"): [
        "Hythe",
        "Kent",
        "CT21 5AA",
    ],
    ("IE", "1 Main Street", "Naas", "Co. Kildare", "W91 X285"): [
        "Naas",
        "Co. Kildare",
        "W91 X285",
    ],
    ("CA", "1 King Street", "Toronto", "ON", "M5H 1A1"): ["Toronto ON M5H 1A1"],
    ("AU", "1 George Street", "Sydney", "NSW", "2000"): ["Sydney NSW 2000"],
    ("NZ", "1 Queen Street", "Auckland", "", "1010"): ["Auckland 1010"],
    ("JP", "1-1 Chiyoda", "Chiyoda-ku", "Tokyo", "100-0001"): [
        "Chiyoda-ku, Tokyo",
        "100-0001",
    ],
    ("SA", "King Fahd Road", "Riyadh", "", "12345"): ["Riyadh 12345"],
    ("BR", "Rua Um 1", "Santos", "SP", "11010-000"): ["Santos-SP", "11010-000"],
    ("SG", "1 Raffles Place", "Singapore", "", "048616"): ["SINGAPORE 048616"],
    ("SG", "1 Raffles Place", "Singapore", "", ""): ["Singapore"],
    ("AE", "PO Box 1", "Dubai", "Dubai", ""): ["Dubai"],
    ("IN", "1 MG Road", "Pune", "Maharashtra", "411001"): [
        "Pune 411001",
        "Maharashtra",
    ],
    ("", "Somewhere 1", "Town", "", "123"): ["123 Town"],
    ("XX", "Somewhere 1", "Town", "Shire", "123"): ["123 Town", "Shire"],
}


@pytest.mark.parametrize("given", PLACES, ids=str)
def test_place_is_written_as_in_its_country(
    given: tuple[str, str, str, str, str],
) -> None:
    country, street, city, region, code = given
    address = PostalAddress(country, (street, "", "Floor 2"), city, region, code)
    assert postal_lines(address, "Ann") == ["Ann", street, "Floor 2", *PLACES[given]]


def test_own_script_goes_from_large_to_small() -> None:
    japan = PostalAddress("JP", ("千代田1-1",), "千代田区", "東京都", "100-0001")
    assert postal_lines(japan, "株式会社朝") == [
        "〒100-0001",
        "東京都千代田区",
        "千代田1-1",
        "株式会社朝",
    ]


def test_no_country_loses_a_part_of_what_was_typed() -> None:
    for country in COUNTRY_CODES:
        for street in ("STREET", "通り"):
            parts = PostalAddress(country, (street,), "TOWN", "SHIRE", "9ZIP")
            said = " ".join(postal_lines(parts, "NAME"))
            missing = [
                part
                for part in ("NAME", street, "TOWN", "SHIRE", "9ZIP")
                if said.count(part) != 1
            ]
            assert not missing, (country, said)


def test_nothing_is_said_of_nothing() -> None:
    for country in COUNTRY_CODES | {""}:
        assert postal_lines(PostalAddress(country)) == []


@pytest.mark.parametrize(
    ("home", "expected"),
    [
        ("GB", ["Ann", "10 Quay Street", "Bristol", "BS1 4QA"]),
        (
            "DE",
            [
                "Ann",
                "10 Quay Street",
                "Bristol",
                "BS1 4QA",
                "VEREINIGTES KÖNIGREICH",
            ],
        ),
    ],
)
def test_letters_abroad_name_the_country_in_capitals(
    home: str, expected: list[str]
) -> None:
    customer = Customer(
        address1="10 Quay Street",
        address_city="Bristol",
        address_code="BS1 4QA",
        country="GB",
    )
    with translation.override("de"):
        assert list(envelope("Ann", customer, home=home)) == expected
