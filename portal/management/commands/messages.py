"""Bring the catalogues of texts in line with the code."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from portal import translations


class Command(BaseCommand):
    help = (
        "Adds new texts to portal/locale/*/LC_MESSAGES/django.po, removes those that are"
        " gone, and compiles the files. Translate what it lists, then run it again."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for language in translations.languages():
            lacking = translations.update(language)
            self.stdout.write(f"{language}: {len(lacking)} texts without translation")
            for _context, forms in lacking:
                self.stdout.write(f"  {forms[0]}")
