"""A mail server of one's own that can be told how to behave."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from queue import Queue
from threading import Event

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import connection

WAIT = 60  # seconds until a mail that does not come is a failure


class PostOffice:
    """Takes mails and keeps them, unless ``replies`` or ``on_data`` say otherwise."""

    def __init__(self) -> None:
        self.port = free_port()
        self.received: Queue[EmailMessage] = Queue()
        self.recipients: list[list[str]] = []
        # What to answer to a recipient; everybody else is welcome.
        self.replies: dict[str, str] = {}
        # What to answer once a mail is here; called with nothing, may take its time.
        self.on_data: Callable[[], str] = lambda: "250 OK"

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=modern)
        reply = self.on_data()
        if reply.startswith("250"):
            self.recipients.append(list(envelope.rcpt_tos))
            self.received.put(mail)
        return reply

    def next_mail(self) -> EmailMessage:
        return self.received.get(timeout=WAIT)

    @property
    def mails(self) -> list[EmailMessage]:
        return list(self.received.queue)


class Killer:
    """Kills a process at the moment a mail of it has been accepted."""

    def __init__(self) -> None:
        self.victim = 0
        self.is_known = Event()

    def aim(self, pid: int) -> None:
        self.victim = pid
        self.is_known.set()

    def __call__(self) -> str:
        assert self.is_known.wait(WAIT)
        os.kill(self.victim, signal.SIGKILL)
        return "250 OK"


@contextmanager
def open_office() -> Iterator[PostOffice]:
    office = PostOffice()
    controller = Controller(office, hostname="127.0.0.1", port=office.port)
    controller.start()
    try:
        yield office
    finally:
        controller.stop()


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(office: PostOffice, **changes: str) -> dict[str, str]:
    """What a process of its own needs to work on the test's rows and send to the office."""
    parameters = connection.get_connection_params()
    query = "&".join(
        f"{name}={parameters[key]}"
        for name, key in (("host", "host"), ("port", "port"), ("user", "user"))
        if parameters.get(key)
    )
    if password := parameters.get("password"):
        query += f"&password={password}"
    name = connection.settings_dict["NAME"]
    return {
        **os.environ,
        "DATABASE_URL": f"postgresql:///{name}?{query}",
        "EMAIL_URL": f"smtp://127.0.0.1:{office.port}",
        "SECRET_KEY": settings.SECRET_KEY,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        **changes,
    }
