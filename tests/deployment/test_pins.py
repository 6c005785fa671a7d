"""What is installed is pinned, hashed, the same everywhere, and tied to no address."""

import re
import tomllib

import pytest

from portal.embedded.paths import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
FILES = ("base", "demo", "dev")


def text(name: str) -> str:
    return (CHECKOUT / f"requirements/{name}.txt").read_text()


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text(name), re.M))


def wanted(requirements: list[str]) -> set[str]:
    names = {re.split(r"[\[<>=~!; ]", line)[0] for line in requirements}
    return {name.lower().replace("_", "-") for name in names}


@pytest.mark.parametrize("name", FILES)
def test_every_pin_has_a_hash(name: str) -> None:
    for entry in re.split(r"\n(?=\S)", text(name).strip()):
        assert re.match(r"[a-z0-9._-]+==\S+ .*\\\n +--hash=sha256:", entry), entry


@pytest.mark.parametrize("name", FILES)
def test_no_address_of_a_registry(name: str) -> None:
    assert "://" not in text(name)
    assert "index-url" not in text(name)


def test_each_file_contains_the_one_before() -> None:
    assert pins("base").items() <= pins("demo").items() <= pins("dev").items()


def test_the_pins_are_those_of_pyproject() -> None:
    """Somebody added a dependency without `make lock`."""
    extras = PROJECT["optional-dependencies"]
    assert wanted(PROJECT["dependencies"]) <= pins("base").keys()
    assert wanted(extras["demo"]) <= pins("demo").keys()
    assert wanted(extras["dev"]) <= pins("dev").keys()


def test_no_lock_file_with_addresses() -> None:
    assert not list(CHECKOUT.glob("uv.lock")) + list(CHECKOUT.glob("pylock*.toml"))
