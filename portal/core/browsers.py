"""What a browser calls itself, in a few words people know."""

import re

# The first that matches counts: browsers add the names of those they resemble.
_BROWSERS = (
    ("Edge", r"\b(?:Edg|EdgA|EdgiOS)/"),
    ("Opera", r"\b(?:OPR|Opera)/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Vivaldi", r"\bVivaldi/"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/"),
    ("Chrome", r"\b(?:HeadlessChrome|Chrome|Chromium|CriOS)/"),
    ("Safari", r"\bVersion/.*\bSafari/"),
    ("curl", r"^curl/"),
)
_SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("macOS", r"\bMac OS X\b|\bMacintosh\b"),
    ("Linux", r"\bLinux\b"),
)


def describe(user_agent: str) -> tuple[str, str]:
    """Browser and operating system, such as ("Firefox", "Windows"); "" if not known."""
    return _first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)


def is_handheld(user_agent: str) -> bool:
    return bool(re.search(r"\b(?:iPhone|iPad|Android|Mobile)\b", user_agent))


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for name, pattern in names if re.search(pattern, text)), "")
