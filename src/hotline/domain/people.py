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
    DISPATCH = "ticket.dispatch"
    FOLLOW_UP = "ticket.follow_up"
    REVEAL_CALLER = "caller.reveal"
    READ_REPORTS = "report.read"
    MANAGE_ACCOUNTS = "account.manage"
    MANAGE_LISTS = "list.manage"
    READ_AUDIT = "audit.read"
    READ_MODELS = "model.read"
    MANAGE_MODELS = "model.manage"


_EVERYBODY = frozenset({Permission.PUBLIC, Permission.SIGNED_IN})
_TICKETS = frozenset({Permission.READ_TICKETS, Permission.ACT_ON_TICKETS, Permission.REVEAL_CALLER})

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.AGENT: _EVERYBODY | _TICKETS | {Permission.INTAKE},
    Role.DISPATCHER: _EVERYBODY | _TICKETS | {Permission.INTAKE, Permission.DISPATCH},
    Role.HANDLER: _EVERYBODY | _TICKETS,
    Role.LEAD: _EVERYBODY | _TICKETS,
    Role.FOLLOWUP: _EVERYBODY | _TICKETS | {Permission.FOLLOW_UP},
    Role.SUPERVISOR: _EVERYBODY
    | _TICKETS
    | {Permission.DISPATCH, Permission.FOLLOW_UP, Permission.READ_REPORTS, Permission.READ_MODELS},
    # The administrator keeps accounts, lists and model versions, the auditor reads the audit log; neither needs a
    # citizen's words.
    Role.ADMIN: _EVERYBODY
    | {Permission.MANAGE_ACCOUNTS, Permission.MANAGE_LISTS, Permission.READ_MODELS, Permission.MANAGE_MODELS},
    Role.AUDITOR: _EVERYBODY | {Permission.READ_AUDIT},
    Role.SYSTEM: frozenset(Permission),
}


# These see or change what reaches beyond one ticket, so a stolen password alone must not open their accounts.
SECOND_FACTOR_ROLES = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.AUDITOR})

# Who keeps the accounts must not keep watch over himself.
_APART = frozenset({Role.ADMIN, Role.AUDITOR})


def role_change_refusal(present: Role, wanted: Role) -> str | None:
    """Return why an account may not change from ``present`` to ``wanted``, None when it may.

    An administrator's or auditor's account keeps its role for life.  A way round by a third role would otherwise make
    the same person both.  Source: MLPS 2.0 level 3, separate administrator and auditor.
    """
    if present is wanted:
        return f"the account is '{present}' already"
    if present in _APART:
        return (
            f"an account that is or was '{present}' keeps that role, so that administrator and auditor are never the "
            "same person; disable it and add another account"
        )
    return None


def kept_apart(one: Role, other: Role) -> bool:
    """Tell whether the same person may not have accounts in both roles."""
    return {one, other} == _APART


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: an account with role and department, or the system itself (``account_id`` is None).

    ``scopes`` are the permissions that the token in use is limited to (None: all of the role's); ``address`` is the
    network address that the request came from.
    """

    role: Role
    account_id: int | None = None
    department_id: int | None = None
    scopes: frozenset[str] | None = None
    address: str | None = None

    def may(self, permission: Permission) -> bool:
        """Tell whether this actor's role holds ``permission`` and the token in use does not leave it out."""
        if permission not in PERMISSIONS[self.role]:
            return False
        return self.scopes is None or permission in _EVERYBODY or permission in self.scopes


SYSTEM = Actor(Role.SYSTEM)
