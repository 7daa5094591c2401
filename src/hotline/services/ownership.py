"""Ownership (权责): whom the catalogue names for a matter, and to whom it must not go.

Two rules stand above a dispatcher's choice: a departmental matter is not handed down to streets and towns (不得下派),
and a complaint about a department never goes to that department alone.
"""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hotline.domain.people import Actor, Role
from hotline.domain.responsibility import CatalogueEntry, find_owner
from hotline.services.access import subtree
from hotline.services.errors import InvalidInput
from hotline.storage.tables import CatalogueEntryRow, Department, PushDownBan, Ticket


def owner_of(session: Session, matter: str, district: str | None, at: datetime) -> CatalogueEntryRow | None:
    """Return the catalogue's entry for ``matter`` in ``district`` that is in force at ``at``, or None."""
    query = select(CatalogueEntryRow).where(
        CatalogueEntryRow.matter == matter,
        or_(CatalogueEntryRow.district.is_(None), CatalogueEntryRow.district == district),
    )
    rows = {row.id: row for row in session.scalars(query)}
    found = find_owner((as_value(row) for row in rows.values()), matter, district, at)
    return rows[found.entry_id] if found else None


def as_value(row: CatalogueEntryRow) -> CatalogueEntry:
    """Return the row as the value that the domain's rule reads; co-handlers are left with the row."""
    return CatalogueEntry(row.id, row.matter, row.district, row.lead_department_id, (), row.valid_from, row.valid_to)


def department_coded(session: Session, code: str, field: str = "department") -> Department:
    """Return the active department with ``code``.  Raises ``InvalidInput`` naming ``field``."""
    found = session.scalars(select(Department).where(Department.code == code)).one_or_none()
    if found is None or not found.active:
        raise InvalidInput(field, "there is no active department with this code")
    return found


def push_down_basis(session: Session, matter: str | None, department: Department, at: datetime) -> str | None:
    """Return why ``matter`` must not be handed down to ``department``, None when it may.

    Only streets and towns are protected.
    """
    if matter is None or department.kind != "street":
        return None
    query = select(PushDownBan.basis).where(
        PushDownBan.matter == matter,
        PushDownBan.valid_from <= at,
        or_(PushDownBan.valid_to.is_(None), PushDownBan.valid_to > at),
    )
    return session.scalars(query.limit(1)).first()


def is_judge_of_itself(session: Session, ticket: Ticket, department: Department) -> bool:
    """Tell whether the ticket is a complaint about ``department`` or about what stands above or below it."""
    about = ticket.about_department_id
    if about is None:
        return False
    return department.id in subtree(session, about) or about in subtree(session, department.id)


def require_may_own(
    session: Session, ticket: Ticket, department: Department, actor: Actor, at: datetime, *, overseer: Department | None
) -> None:
    """Raise ``InvalidInput`` when ``department`` must not get the ticket.

    ``overseer`` is a co-handler from elsewhere, with whom a supervisor may send a complaint to the department it is
    about: then it does not go there alone.
    """
    basis = push_down_basis(session, ticket.matter, department, at)
    if basis is not None:
        raise InvalidInput("department", f"this matter must not be handed down to streets and towns ({basis})")
    if is_judge_of_itself(session, ticket, department):
        watched = overseer is not None and not is_judge_of_itself(session, ticket, overseer)
        if not watched or actor.role is not Role.SUPERVISOR:
            raise InvalidInput(
                "department",
                "the complaint is about this department, which must not handle it alone; name another one, or let a "
                "supervisor send it there with a co-handler from elsewhere",
            )
