"""Invented names. A number in each keeps them apart, in any amount."""

from __future__ import annotations

from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    """
    Ada Ahmed Aiko Anna Ben Bruno Carla Chen Clara Daniel Deniz Elif Emil Eva
    Fatma Felix Finn Greta Hana Hugo Ida Ines Ivan Jana Jonas Julia Kai Karl
    Klara Lars Lea Leon Lena Lina Luca Maja Marek Maria Max Mia Mila Nora Noah
    Olga Oskar Paul Petra Priya Rosa Samir Sara Sofia Tariq Theo Tim Ulla Vera
    Viktor Yusuf Zoe
    """
)
LAST_NAMES = _words(
    """
    Albrecht Aydemir Bauer Becker Berg Brandt Braun Costa Dietrich Ek Engel
    Fischer Fontana Franke Garcia Graf Haas Hansen Hartmann Heinrich Hoffmann
    Horn Ivanov Jansen Jung Kaiser Keller Klein Kowalski Kraus Krüger Lang
    Lehmann Lindqvist Ludwig Maier Marino Meyer Möller Nagy Neumann Nguyen Otto
    Özdemir Peters Pohl Richter Roth Sato Schäfer Schmidt Schubert Schwarz
    Seidel Simon Sommer Stein Vogel Wagner Weber Winkler Wolf Yücel Ziegler
    """
)
TRADES = _words(
    """
    Apotheke Autohaus Bäckerei Bikes Books Brauerei Café Catering Consulting
    Dental Design Druckerei Elektro Events Fahrschule Fitness Foods Gartenbau
    Gasthof Hotel Immobilien Kanzlei Kinderhaus Labor Logistik Malerei Metallbau
    Möbel Musikschule Optik Pflege Physio Praxis Reederei Reisen Schreinerei
    Software Spedition Studio Textil Tischlerei Verlag Werkstatt Weingut
    """
)
CARRIERS = _words(
    """
    Aurora Baltic Beacon Canal Cedar Compass Delta Echo Elbe Falcon Fjord Granit
    Horizont Isar Juniper Kompass Lotus Main Meridian Nova Orbit Polar Quarz
    Rhein Saale Tide Ulme Vega Weser Zenit
    """
)
STREETS = _words(
    """
    Ahornweg Bahnhofstraße Birkenallee Dorfstraße Gartenweg Hafenstraße
    Hauptstraße Kirchplatz Lindenallee Marktplatz Mühlenweg Parkstraße
    Ringstraße Schulstraße Seeweg Talstraße Uferweg Waldstraße Wiesengrund
    Ziegelei
    """
)
PLACES = (
    ("10115", "Berlin"),
    ("20095", "Hamburg"),
    ("28195", "Bremen"),
    ("30159", "Hannover"),
    ("40212", "Düsseldorf"),
    ("50667", "Köln"),
    ("60311", "Frankfurt am Main"),
    ("70173", "Stuttgart"),
    ("80331", "München"),
    ("04109", "Leipzig"),
)
# Dialling codes with the area as numbers name it.
AREAS = (
    ("+4930", "Berlin"),
    ("+4940", "Hamburg"),
    ("+4969", "Frankfurt am Main"),
    ("+4989", "Munich"),
    ("+49221", "Cologne"),
    ("+49711", "Stuttgart"),
)


class Names:
    """Draws names; the same ``random`` gives the same ones."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def person(self) -> tuple[str, str]:
        return self.random.choice(FIRST_NAMES), self.random.choice(LAST_NAMES)

    def business(self, number: int) -> str:
        trade, name = self.random.choice(TRADES), self.random.choice(LAST_NAMES)
        return f"{trade} {name} {number}"

    def reseller(self, number: int) -> str:
        return f"{self.random.choice(CARRIERS)} Telecom {number}"

    def address(self) -> tuple[str, str, str]:
        """Street with number, post code, city."""
        street = f"{self.random.choice(STREETS)} {self.random.randint(1, 199)}"
        return street, *self.random.choice(PLACES)

    def telephone(self, number: int) -> tuple[str, str]:
        """A number in E.164 and its area; not a real one, since none begins with 11."""
        code, area = AREAS[number % len(AREAS)]
        return f"{code}11{number:07d}", area
