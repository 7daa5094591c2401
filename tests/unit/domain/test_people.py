"""Roles, permissions and scopes; administrator and auditor apart."""

import itertools

import pytest

from hotline.domain.people import PERMISSIONS, Actor, Permission, Role, kept_apart, role_change_refusal

PEOPLE = [role for role in Role if role is not Role.SYSTEM]


def test_every_role_has_permissions_and_every_permission_somebody_who_holds_it() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert set().union(*(PERMISSIONS[role] for role in PEOPLE)) == set(Permission)


def test_administrator_and_auditor_share_no_power_and_see_no_ticket() -> None:
    everybody = {Permission.PUBLIC, Permission.SIGNED_IN}
    assert PERMISSIONS[Role.ADMIN] - everybody == {
        Permission.MANAGE_ACCOUNTS,
        Permission.MANAGE_LISTS,
        Permission.READ_MODELS,
        Permission.MANAGE_MODELS,
    }
    assert PERMISSIONS[Role.AUDITOR] - everybody == {Permission.READ_AUDIT}
    assert [role for role in PEOPLE if Permission.READ_AUDIT in PERMISSIONS[role]] == [Role.AUDITOR]


@pytest.mark.parametrize(("present", "wanted"), list(itertools.permutations(PEOPLE, 2)))
def test_no_way_leads_from_administrator_to_auditor_or_back(present: Role, wanted: Role) -> None:
    refusal = role_change_refusal(present, wanted)
    if present in (Role.ADMIN, Role.AUDITOR):
        # Not even by a third role.
        assert refusal is not None
        assert "never the same person" in refusal
    else:
        assert refusal is None


def test_a_change_to_the_same_role_says_so() -> None:
    assert role_change_refusal(Role.AGENT, Role.AGENT) == "the account is 'agent' already"


def test_only_these_two_are_kept_apart() -> None:
    apart = [set(pair) for pair in itertools.combinations(PEOPLE, 2) if kept_apart(*pair)]
    assert apart == [{Role.ADMIN, Role.AUDITOR}]
    assert not kept_apart(Role.ADMIN, Role.ADMIN)


def test_scopes_narrow_and_never_widen() -> None:
    narrow = Actor(Role.AGENT, 1, scopes=frozenset({"ticket.read", "audit.read"}))
    assert narrow.may(Permission.READ_TICKETS)
    assert narrow.may(Permission.SIGNED_IN)
    assert not narrow.may(Permission.INTAKE)
    assert not narrow.may(Permission.READ_AUDIT)
    assert Actor(Role.AGENT, 1).may(Permission.INTAKE)
    assert not Actor(Role.AGENT, 1, scopes=frozenset()).may(Permission.READ_TICKETS)
