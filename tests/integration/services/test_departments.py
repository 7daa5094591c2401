"""The tree of departments: what may be changed, and what keeps a department from being retired."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from tests.factories import actor_named, department, ticket_after

from hotline.bootstrap import Runtime
from hotline.domain.ticket import Action
from hotline.services import accounts, departments
from hotline.services.departments import Office
from hotline.services.errors import InvalidInput, NotFound
from hotline.storage.tables import AuditEntry, CatalogueEntryRow, CohandlingTask

NEW = Office(code="XFJ", name="消防救援局", kind="city_bureau")


@pytest.fixture
def session(parts: Runtime) -> Session:
    with parts.sessions() as session:
        yield session


def settle(session: Session, parts: Runtime, *offices: Office) -> None:
    departments.settle(session, parts.context, offices, actor_named(session, "admin"))


def fault(session: Session, parts: Runtime, *offices: Office) -> tuple[str, str]:
    before = departments.offices(session)
    with pytest.raises(InvalidInput) as error:
        settle(session, parts, *offices)
    assert departments.offices(session) == before
    return error.value.field, error.value.message


def present(session: Session, code: str) -> Office:
    return departments.offices(session)[code]


def lonely(session: Session, parts: Runtime) -> Office:
    """Add a department that nothing depends on yet."""
    settle(session, parts, NEW)
    return present(session, "XFJ")


def test_the_tree_shows_each_below_its_parent_with_people_and_open_tickets(session: Session, parts: Runtime) -> None:
    before = {node.office.code: node for node in departments.tree(session)}
    ticket_after(session, parts.context, Action.DISPATCH)
    ticket_after(session, parts.context, Action.FOLLOW_UP)
    nodes = departments.tree(session)
    assert {node.office.code for node in nodes} == set(departments.offices(session))
    above: list[str] = []
    for node in nodes:
        del above[node.depth :]
        assert node.office.parent == (above[-1] if above else None)
        above.append(node.office.code)
    cgj = next(node for node in nodes if node.office.code == "CGJ")
    assert cgj.people == 2
    # One is in hand, the other one closed.
    assert cgj.open_tickets == before["CGJ"].open_tickets + 1


def test_a_department_is_added_renamed_and_moved_and_each_is_recorded(session: Session, parts: Runtime) -> None:
    admin = actor_named(session, "admin")
    departments.add(session, parts.context, NEW, admin)
    departments.change(session, parts.context, replace(NEW, name="消防局", parent="CGJ", district="LD"), admin)
    assert present(session, "XFJ") == replace(NEW, name="消防局", parent="CGJ", district="LD")
    query = select(AuditEntry).where(AuditEntry.subject == "department:XFJ").order_by(AuditEntry.id)
    assert [(entry.action, entry.detail) for entry in session.scalars(query)] == [
        ("department.added", {"name": "消防救援局", "kind": "city_bureau", "active": True}),
        ("department.changed", {"name": "消防局", "parent": "CGJ", "district": "LD"}),
    ]


def test_what_says_nothing_new_is_not_recorded(session: Session, parts: Runtime) -> None:
    settle(session, parts, present(session, "CGJ"))
    assert session.scalars(select(AuditEntry).where(AuditEntry.subject == "department:CGJ")).all() == []


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"code": "城管"}, "code", "use up to 32 capital letters, digits and hyphens"),
        ({"code": "X" * 33}, "code", "use up to 32 capital letters, digits and hyphens"),
        ({"code": "-X"}, "code", "use up to 32 capital letters, digits and hyphens"),
        ({"name": " "}, "name", "must have 1 to 60 characters"),
        ({"name": "局\x07"}, "name", "must have 1 to 60 characters"),
        ({"name": "城市管理局"}, "name", "another department has this name"),
        ({"kind": "army"}, "kind", "is no kind of department"),
        ({"parent": "NIX"}, "parent", "there is no department with this code"),
        ({"parent": "XFJ"}, "parent", "stands below this department itself"),
        ({"district": "NIX"}, "district", "there is no district with this code"),
    ],
)
def test_what_will_not_do_is_told_by_field(
    session: Session, parts: Runtime, changes: dict[str, str], field: str, message: str
) -> None:
    if "name" in changes and changes["name"] == "城市管理局":
        changes["name"] = department(session, "CGJ").name
    assert fault(session, parts, replace(NEW, **changes)) == (field, message)


def test_a_code_is_taken_once_and_never_changed(session: Session, parts: Runtime) -> None:
    admin = actor_named(session, "admin")
    with pytest.raises(InvalidInput, match="already"):
        departments.add(session, parts.context, present(session, "CGJ"), admin)
    with pytest.raises(NotFound):
        departments.change(session, parts.context, NEW, admin)


def test_nobody_stands_below_oneself(session: Session, parts: Runtime) -> None:
    assert present(session, "LD-CGJ").parent == "CGJ"
    assert fault(session, parts, replace(present(session, "CGJ"), parent="LD-CGJ"))[0] == "parent"


def test_a_table_of_changes_may_come_in_any_order_and_exchange_names(session: Session, parts: Runtime) -> None:
    one, two = present(session, "CGJ"), present(session, "ZJJ")
    below = Office(code="XFJ-1", name="消防一站", kind="district_bureau", parent="XFJ")
    settle(session, parts, below, replace(one, name=two.name), replace(two, name=one.name), NEW)
    assert present(session, "XFJ-1").parent == "XFJ"
    assert (present(session, "CGJ").name, present(session, "ZJJ").name) == (two.name, one.name)


def retired(session: Session, parts: Runtime, code: str) -> str:
    return fault(session, parts, replace(present(session, code), active=False))[1]


def test_a_department_with_open_tickets_is_not_retired(session: Session, parts: Runtime) -> None:
    office = lonely(session, parts)
    ticket = ticket_after(session, parts.context, Action.DISPATCH)
    ticket.lead_department = department(session, "XFJ")
    session.flush()
    assert retired(session, parts, "XFJ") == (
        "has 1 open tickets; dispatch them elsewhere or let them be finished first"
    )
    ticket.state = "closed"
    session.flush()
    settle(session, parts, replace(office, active=False))
    assert not department(session, "XFJ").active


def test_nor_one_that_helps_has_people_or_stands_in_the_catalogue(session: Session, parts: Runtime) -> None:
    office = lonely(session, parts)
    row, now = department(session, "XFJ"), parts.context.now()
    ticket = ticket_after(session, parts.context, Action.SIGN)
    task = CohandlingTask(ticket_id=ticket.id, department_id=row.id, request="现场会同", due=now, asked_at=now)
    session.add(task)
    session.flush()
    assert retired(session, parts, "XFJ").startswith("has 1 open co-handling parts")
    task.state = "done"
    command = accounts.AddAccount("xfj-1", "消防经办", "handler", "four new words here", "XFJ")
    person = accounts.add(session, parts.context, command, actor_named(session, "admin"))
    assert retired(session, parts, "XFJ").startswith("has 1 accounts in use")
    person.active = False
    lead = CatalogueEntryRow(matter="G09", lead_department=row, valid_from=now, valid_to=None)
    helper = CatalogueEntryRow(
        matter="G08", lead_department=department(session, "CGJ"), cohandlers=[row], valid_from=now, valid_to=None
    )
    session.add_all([lead, helper])
    session.flush()
    assert retired(session, parts, "XFJ").startswith("is named in 2 lines of the catalogue")
    lead.valid_to = helper.valid_to = parts.context.now()
    session.flush()
    settle(session, parts, replace(office, active=False))


def test_nor_one_with_sub_units_unless_they_go_with_it(session: Session, parts: Runtime) -> None:
    office = lonely(session, parts)
    below = Office(code="XFJ-1", name="消防一站", kind="district_bureau", parent="XFJ")
    settle(session, parts, below)
    assert retired(session, parts, "XFJ").startswith("has sub-units in use")
    settle(session, parts, replace(office, active=False), replace(below, active=False))
    # And nothing is put below what is out of use, nor taken back into use there.
    assert fault(session, parts, below) == ("parent", "is retired; name a parent that is in use")
    admin = actor_named(session, "admin")
    departments.switch(session, parts.context, "XFJ", admin, active=True)
    assert departments.switch(session, parts.context, "XFJ-1", admin, active=True).active
