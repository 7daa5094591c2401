"""The demo city's districts, departments, accounts and responsibility catalogue, from the files beside this module.

Everything in them is fictional.
"""

from datetime import datetime
from importlib.resources import files
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.services.accounts import hash_password
from hotline.storage.tables import Account, CatalogueEntryRow, Department, District, PushDownBan

# Printed at every start and good for nothing but a demo, which listens on this machine only.
DEMO_PASSWORD = "hotline-demo"  # noqa: S105 - see above


def demo_file(name: str) -> Any:
    """Return the parsed content of a file of the demo city."""
    return yaml.safe_load(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def build_city(session: Session, valid_from: datetime) -> None:
    """Write the city; its catalogue is in force from ``valid_from``."""
    city = demo_file("city.yaml")
    session.add_all(
        District(code=line["code"], name=line["name"], residents=line["residents"]) for line in city["districts"]
    )
    session.flush()
    departments = _departments(session, city["departments"])
    _accounts(session, city["accounts"], departments)
    catalogue = demo_file("catalogue.yaml")
    load_catalogue(session, catalogue["entries"], valid_from)
    session.add_all(
        PushDownBan(matter=line["matter"], basis=line["reason"], valid_from=valid_from)
        for line in catalogue["must_not_push_down"]
    )


def _departments(session: Session, lines: list[dict[str, Any]]) -> dict[str, Department]:
    departments = {
        line["code"]: Department(code=line["code"], name=line["name"], kind=line["kind"], district=line["district"])
        for line in lines
    }
    session.add_all(departments.values())
    session.flush()
    for line in lines:
        if line["parent"]:
            departments[line["code"]].parent_id = departments[line["parent"]].id
    return departments


def _accounts(session: Session, lines: list[dict[str, Any]], departments: dict[str, Department]) -> None:
    # One hash for all: they share one public password, and hashing each would take as long as everything else here.
    password_hash = hash_password(DEMO_PASSWORD)
    session.add_all(
        Account(
            username=line["username"],
            display_name=line["name"],
            role=line["role"],
            department_id=departments[line["department"]].id,
            password_hash=password_hash,
        )
        for line in lines
    )
    session.flush()


def load_catalogue(session: Session, lines: list[dict[str, Any]], valid_from: datetime) -> int:
    """Write catalogue entries that are in force from ``valid_from``; return how many."""
    departments = {department.code: department for department in session.scalars(select(Department))}
    for line in lines:
        session.add(
            CatalogueEntryRow(
                matter=line["matter"],
                district=line["district"],
                lead_department=departments[line["lead"]],
                cohandlers=[departments[code] for code in line["cohandlers"]],
                valid_from=valid_from,
                note=line.get("note"),
            )
        )
    session.flush()
    return len(lines)
