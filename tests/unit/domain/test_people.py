"""Roles and permissions: everybody may what their work needs, and nobody holds what must be kept apart."""

import pytest

from hotline.domain.people import (
    DEPARTMENT_STAFF,
    HOTLINE_STAFF,
    PERMISSIONS,
    ROLE_NAMES,
    SYSTEM,
    Actor,
    Permission,
    Role,
)
from hotline.domain.ticket import State, allowed_actions

KEEPERS = frozenset({Role.ADMIN, Role.AUDITOR})
TICKETS = {Permission.READ_TICKETS, Permission.ACT_ON_TICKETS, Permission.REVEAL_CALLER, Permission.INTAKE}


def test_every_role_has_a_name_and_permissions() -> None:
    assert set(ROLE_NAMES) == set(PERMISSIONS) == set(Role)
    assert len(set(ROLE_NAMES.values())) == len(Role)


def test_every_role_belongs_to_one_side() -> None:
    sides = [HOTLINE_STAFF, DEPARTMENT_STAFF, KEEPERS, {Role.SYSTEM}]
    assert sum(len(side) for side in sides) == len(Role)
    assert set().union(*sides) == set(Role)


def test_whoever_may_move_a_ticket_may_read_and_act_on_tickets() -> None:
    for role in Role:
        moves = any(allowed_actions(state, role) for state in State)
        assert moves is ({Permission.READ_TICKETS, Permission.ACT_ON_TICKETS} <= PERMISSIONS[role]), role


@pytest.mark.parametrize("role", sorted(KEEPERS))
def test_administrators_and_auditors_hold_nothing_about_tickets(role: Role) -> None:
    assert not PERMISSIONS[role] & TICKETS
    assert not any(allowed_actions(state, role) for state in State)


def test_calls_are_logged_by_the_desk_and_figures_read_by_the_supervisor() -> None:
    assert {role for role in Role if Permission.INTAKE in PERMISSIONS[role]} == {
        *(Role.AGENT, Role.DISPATCHER, Role.SYSTEM)
    }
    assert {role for role in Role if Permission.READ_REPORTS in PERMISSIONS[role]} == {Role.SUPERVISOR, Role.SYSTEM}


@pytest.mark.parametrize("role", Role)
def test_what_is_public_is_everybodys(role: Role) -> None:
    actor = Actor(role, 1)
    assert actor.may(Permission.PUBLIC)
    assert actor.may(Permission.SIGNED_IN)
    assert {permission for permission in Permission if actor.may(permission)} == PERMISSIONS[role]


def test_the_system_is_nobodys_account() -> None:
    assert (SYSTEM.role, SYSTEM.account_id, SYSTEM.department_id) == (Role.SYSTEM, None, None)
