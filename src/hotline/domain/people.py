"""Who works at the hotline, and what each role may do.

The permissions are named after what a person does, not after pages; every route of the web application names one.
Source: the actors of the hotline's rules; MLPS 2.0 level 3 keeps administrator and auditor apart.
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is at the hotline.  One account has one role."""

    AGENT = "agent"
    DISPATCHER = "dispatcher"
    HANDLER = "handler"
    LEAD = "lead"
    FOLLOWUP = "followup"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"
    SYSTEM = "system"


ROLE_NAMES: dict[Role, str] = {
    Role.AGENT: "坐席",
    Role.DISPATCHER: "派单员",
    Role.HANDLER: "经办人",
    Role.LEAD: "承办单位负责人",
    Role.FOLLOWUP: "回访员",
    Role.SUPERVISOR: "督办",
    Role.ADMIN: "系统管理员",
    Role.AUDITOR: "安全审计员",
    Role.SYSTEM: "系统",
}

HOTLINE_STAFF = frozenset({Role.AGENT, Role.DISPATCHER, Role.FOLLOWUP, Role.SUPERVISOR})
DEPARTMENT_STAFF = frozenset({Role.HANDLER, Role.LEAD})


class Permission(StrEnum):
    """What a route may ask for.  ``PUBLIC`` needs no login, ``SIGNED_IN`` any account."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    INTAKE = "ticket.intake"
    READ_TICKETS = "ticket.read"
    ACT_ON_TICKETS = "ticket.act"
    REVEAL_CALLER = "caller.reveal"
    READ_REPORTS = "report.read"


_EVERYBODY = frozenset({Permission.PUBLIC, Permission.SIGNED_IN})
_TICKETS = frozenset({Permission.READ_TICKETS, Permission.ACT_ON_TICKETS, Permission.REVEAL_CALLER})

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.AGENT: _EVERYBODY | _TICKETS | {Permission.INTAKE},
    Role.DISPATCHER: _EVERYBODY | _TICKETS | {Permission.INTAKE},
    Role.HANDLER: _EVERYBODY | _TICKETS,
    Role.LEAD: _EVERYBODY | _TICKETS,
    Role.FOLLOWUP: _EVERYBODY | _TICKETS,
    Role.SUPERVISOR: _EVERYBODY | _TICKETS | {Permission.READ_REPORTS},
    # The administrator keeps accounts and settings, the auditor reads the audit log; neither needs a citizen's words.
    Role.ADMIN: _EVERYBODY,
    Role.AUDITOR: _EVERYBODY,
    Role.SYSTEM: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: an account with role and department, or the system itself (``account_id`` is None)."""

    role: Role
    account_id: int | None = None
    department_id: int | None = None

    def may(self, permission: Permission) -> bool:
        """Tell whether this actor's role holds ``permission``."""
        return permission in PERMISSIONS[self.role]


SYSTEM = Actor(Role.SYSTEM)
