"""Secrets that must be readable again, and those made for people."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from portal.core import secrets


def test_encrypted_secret_is_read_again() -> None:
    stored = secrets.encrypt("pässword 🔑")
    assert "pässword" not in stored
    assert secrets.decrypt(stored) == "pässword 🔑"


def test_same_secret_is_stored_differently_each_time() -> None:
    assert secrets.encrypt("1234") != secrets.encrypt("1234")


def test_old_key_still_reads_what_it_wrote(settings: Settings) -> None:
    stored = secrets.encrypt("sip")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "n" * 60
    assert secrets.decrypt(stored) == "sip"
    assert secrets.decrypt(secrets.encrypt("new")) == "new"


def test_lost_key_is_said_not_guessed(settings: Settings) -> None:
    stored = secrets.encrypt("sip")
    settings.SECRET_KEY = "n" * 60
    with pytest.raises(ValueError, match="SECRET_KEY_FALLBACKS"):
        secrets.decrypt(stored)


def test_changed_text_is_refused() -> None:
    stored = secrets.encrypt("sip")
    with pytest.raises(ValueError, match="cannot be read"):
        secrets.decrypt(stored[:-2] + ("aa" if stored[-2:] != "aa" else "bb"))


def test_passwords_and_pins_have_their_length_and_alphabet() -> None:
    password, pin = secrets.random_password(), secrets.random_pin()
    assert len(password) == 20
    assert not set(password) & set("0O1lI")
    assert len(pin) == 6
    assert pin.isdecimal()
    assert len({secrets.random_password() for _time in range(100)}) == 100
