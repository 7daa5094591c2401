"""The responsibility catalogue over the API."""

from datetime import datetime

from apiflask import APIBlueprint
from pydantic import BaseModel

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Permission
from hotline.services.catalogue import Fared, bans_at, entries_at, fared
from hotline.storage.engine import transaction
from hotline.storage.tables import CatalogueEntryRow
from hotline.web.api.representation import local
from hotline.web.auth import requires
from hotline.web.runtime import runtime

bp = APIBlueprint("catalogue", __name__, url_prefix="/api/v1/catalogue", tag="Catalogue")


class EntryOut(BaseModel):
    """One entry in force, and how often tickets were dispatched by it and returned."""

    id: int
    matter: str
    matter_name: str
    district: str | None
    lead: str
    lead_name: str
    cohandlers: list[str]
    valid_from: datetime
    valid_to: datetime | None
    note: str | None
    dispatches: int
    returns: int
    returns_accepted: int


class BanOut(BaseModel):
    """A matter that must not be pushed down to streets and towns."""

    matter: str
    reason: str
    valid_from: datetime
    valid_to: datetime | None


class CatalogueOut(BaseModel):
    """The catalogue as it is in force now."""

    at: datetime
    entries: list[EntryOut]
    must_not_push_down: list[BanOut]


@bp.get("")
@bp.output(CatalogueOut)
@bp.doc(summary="Who owns which matter where, with how often each entry's dispatches were returned")
@requires(Permission.READ_TICKETS)
def read_catalogue() -> CatalogueOut:
    """List the catalogue in force."""
    now = runtime().context.now()
    with transaction(runtime().sessions) as session:
        rows = entries_at(session, now)
        counts = fared(session, [row.id for row in rows])
        bans = [
            BanOut(
                matter=ban.matter,
                reason=ban.basis,
                valid_from=ban.valid_from.astimezone(CITY_ZONE),
                valid_to=local(ban.valid_to),
            )
            for ban in bans_at(session, now)
        ]
        entries = [_entry(row, counts.get(row.id, Fared())) for row in rows]
    return CatalogueOut(at=now.astimezone(CITY_ZONE), entries=entries, must_not_push_down=bans)


def _entry(row: CatalogueEntryRow, met: Fared) -> EntryOut:
    return EntryOut(
        id=row.id,
        matter=row.matter,
        matter_name=runtime().context.taxonomy.matters[row.matter].name,
        district=row.district,
        lead=row.lead_department.code,
        lead_name=row.lead_department.name,
        cohandlers=[helper.code for helper in row.cohandlers],
        valid_from=row.valid_from.astimezone(CITY_ZONE),
        valid_to=local(row.valid_to),
        note=row.note,
        dispatches=met.dispatches,
        returns=met.returns,
        returns_accepted=met.accepted,
    )
