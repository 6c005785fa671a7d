"""Work on a timer: what is forgotten, what is kept, and how often it runs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessLog
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from billing import jobs as billing_jobs
from billing.services import invoice_drawing
from customers import emails
from portal.celery import app
from portal.core import jobs, mail
from portal.core.models import EmailStatus, OutgoingEmail, Session, Submission
from portal.core.scope import scopes_disabled
from tests.core.post_office import PostOffice, open_office
from tests.world import PASSWORD, World


@pytest.fixture
def office(settings: Settings) -> Iterator[PostOffice]:
    with open_office() as post_office:
        settings.EMAIL_IS_KEPT = False
        settings.EMAIL_BACKEND = "portal.core.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = post_office.port
        yield post_office


def test_expired_sessions_are_forgotten(world: World) -> None:
    kept, gone = world.client(world.ann), world.client(world.ben)
    Session.objects.filter(person=world.ben).update(
        expire_date=timezone.now() - timedelta(seconds=1)
    )
    cache.clear()
    jobs.forget_old_rows()
    assert [row.person for row in Session.objects.all()] == [world.ann]
    assert kept.get("/").status_code == 302
    assert gone.get("/")["Location"].startswith("/login/")


def test_tokens_of_forms_are_forgotten_after_two_days(world: World) -> None:
    for hours in (47, 49):
        row = Submission.objects.create(token=uuid.uuid4(), person=world.ann)
        Submission.objects.filter(pk=row.pk).update(
            created_at=timezone.now() - timedelta(hours=hours), url=f"/{hours}/"
        )
    jobs.forget_old_rows()
    assert [row.url for row in Submission.objects.all()] == ["/47/"]


def test_list_of_logins_does_not_grow_for_ever(world: World) -> None:
    for _time in range(2):
        Client().post("/login/", {"username": "ann@acme.test", "password": PASSWORD})
    old = AccessLog.objects.order_by("pk").first()
    assert old is not None
    AccessLog.objects.filter(pk=old.pk).update(
        attempt_time=timezone.now() - jobs.LOGINS_KEPT - timedelta(hours=1)
    )
    jobs.forget_old_rows()
    assert AccessLog.objects.count() == 1


def test_sweep_takes_its_time_and_no_more(
    world: World, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One mail at least; the others wait for the next sweep."""
    monkeypatch.setattr(jobs, "SWEEP_SECONDS", -1)
    with scopes_disabled():
        for _number in range(3):
            emails.send_login_details(world.ben)
    for sent in (1, 2, 3, 3):
        jobs.send_waiting_emails()
        assert len(office.mails) == sent


def test_sweep_leaves_kept_mails_alone(world: World) -> None:
    with scopes_disabled():
        emails.send_login_details(world.ben)
        jobs.send_waiting_emails()
        assert OutgoingEmail.objects.get().status == EmailStatus.KEPT
    assert mail.due_email_ids() == []


def test_every_job_of_the_timetable_exists_and_sweeps_do_not_pile_up() -> None:
    app.loader.import_default_modules()
    for name, entry in django_settings.CELERY_BEAT_SCHEDULE.items():
        assert entry["task"] in app.tasks, name
    sweep: Any = django_settings.CELERY_BEAT_SCHEDULE["send-waiting-emails"]
    assert sweep["options"]["expires"] <= sweep["schedule"]
    assert sweep["schedule"] > jobs.SWEEP_SECONDS


def test_no_task_may_run_until_it_is_given_to_another_worker() -> None:
    """The broker hands out again what nobody has answered for so long."""
    app.loader.import_default_modules()
    handed_out_again = app.conf.broker_transport_options["visibility_timeout"]
    for name, task in app.tasks.items():
        hard = task.time_limit or app.conf.task_time_limit
        soft = task.soft_time_limit or app.conf.task_soft_time_limit
        assert 0 < soft < hard < handed_out_again, name


def test_drawing_one_invoice_ends_before_another_worker_may_take_it() -> None:
    app.loader.import_default_modules()
    one, sweep = (
        app.tasks[f"billing.jobs.{name}"]
        for name in ("draw_invoice", "draw_waiting_invoices")
    )
    assert one.time_limit < invoice_drawing.LEASE.total_seconds()
    assert sweep.soft_time_limit >= billing_jobs.SWEEP_SECONDS + one.soft_time_limit
