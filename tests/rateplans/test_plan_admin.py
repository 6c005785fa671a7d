"""Rate plans in the Django admin: written by the services, in their owner's log."""

from __future__ import annotations

from django.urls import reverse

from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled
from rateplans.models import PlanPrice, RatePlan
from tests.admin.test_editing import entries
from tests.world import World


def test_the_admin_makes_no_circle_of_plans(world: World) -> None:
    with scopes_disabled():
        heir = RatePlan.objects.create(
            owner=world.acme, name="Heir", currency="EUR", base=world.acme_plan
        )
    olga = world.client(world.olga)
    address = reverse("admin:rateplans_rateplan_change", args=[world.acme_plan.pk])
    page = olga.get(address)
    answer = olga.post(address, entries(page, base=heir.pk), follow=True)
    assert "they would go in a circle" in answer.content.decode()
    with scopes_disabled():
        assert RatePlan.objects.get(pk=world.acme_plan.pk).base is None


def test_the_admin_writes_changes_and_archives_into_the_owners_log(
    world: World,
) -> None:
    olga = world.client(world.olga)
    address = reverse("admin:rateplans_rateplan_change", args=[world.acme_plan.pk])
    olga.post(address, entries(olga.get(address), due_days="9"))
    rows = reverse("admin:rateplans_rateplan_changelist")
    chosen = {"action": "archive", "_selected_action": world.acme_plan.pk}
    assert olga.post(rows, chosen).status_code == 302
    with scopes_disabled():
        plan = RatePlan.objects.get(pk=world.acme_plan.pk)
        actions = AuditEvent.objects.filter(customer=world.acme).values_list(
            "action", flat=True
        )
    assert plan.due_days == 9
    assert plan.archived_at is not None
    assert {"plan.updated", "plan.archived"} <= set(actions)


def test_the_admin_deletes_a_plan_with_its_prices(world: World) -> None:
    """Prices by themselves are read-only there."""
    with scopes_disabled():
        plan = RatePlan.objects.create(owner=world.acme, name="Unused", currency="EUR")
        PlanPrice.objects.create(
            plan=plan, feature="line", occurs="signup", amount=5, valid=(None, None)
        )
    address = reverse("admin:rateplans_rateplan_delete", args=[plan.pk])
    assert world.client(world.olga).post(address, {"post": "yes"}).status_code == 302
    with scopes_disabled():
        assert not RatePlan.objects.filter(pk=plan.pk).exists()
