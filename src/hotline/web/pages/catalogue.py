"""The administrator's page of the responsibility catalogue: what is in force, how it fared, how it came about."""

from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from hotline.domain.people import Permission
from hotline.services import catalogue, departments
from hotline.services.catalogue import Fared, Wanted
from hotline.services.catalogue_history import editions, history
from hotline.services.errors import NotFound
from hotline.storage.engine import transaction
from hotline.web.auth import SMALL_BODY, requires
from hotline.web.pages import choices
from hotline.web.pages.blueprint import bp
from hotline.web.pages.paging import PAGE, last_page, page_number
from hotline.web.pages.session import View
from hotline.web.runtime import actor, runtime


@bp.get("/catalogue")
@requires(Permission.MANAGE_LISTS)
def catalogue_list() -> View:
    """The entries in force now, or at ``?at=``, that match the form."""
    now = runtime().context.now()
    at = _instant(request.args.get("at", ""))
    asked = {name: request.args.get(name, "")[:60] for name in ("matter", "district", "department")}
    number = page_number()
    with transaction(runtime().sessions) as session:
        found = catalogue.entries_at(session, at or now, Wanted(**{name: said or None for name, said in asked.items()}))
        shown = found[(number - 1) * PAGE : number * PAGE]
        changed = editions(session)
        address = {name: said for name, said in asked.items() if said} | ({"at": at.isoformat()} if at else {})
        return render_template(
            "catalogue.html",
            entries=shown,
            total=len(found),
            page=number,
            last=last_page(len(found)),
            fared=catalogue.fared(session, [row.id for row in shown]),
            nothing=Fared(),
            bans=catalogue.bans_at(session, at or now),
            editions=[each for each in changed if each.at <= now],
            coming=[each for each in changed if each.at > now],
            at=at,
            asked=asked,
            address=address,
            districts=departments.districts(session),
            departments=choices.departments(session),
        )


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text[:40])
    except ValueError:
        return None
    return found if found.tzinfo else None


@bp.get("/catalogue/<matter>")
@requires(Permission.MANAGE_LISTS)
def catalogue_matter(matter: str) -> View:
    """Every entry that a matter has had, by district, and how each fared."""
    if matter not in runtime().context.taxonomy.matters:
        raise NotFound("there is no such matter")
    with transaction(runtime().sessions) as session:
        entries = history(session, matter)
        return render_template(
            "catalogue_matter.html",
            matter=runtime().context.taxonomy.matters[matter],
            entries=entries,
            fared=catalogue.fared(session, [row.id for row in entries]),
            nothing=Fared(),
            districts=departments.districts(session),
        )


@bp.post("/catalogue/drop")
@requires(Permission.MANAGE_LISTS, longest_body=SMALL_BODY)
def drop_coming_catalogue() -> View:
    """Take back what was imported for a day to come."""
    with transaction(runtime().sessions) as session:
        dropped = catalogue.drop_coming(session, runtime().context, actor())
    flash(_("已撤回尚未生效的 %(dropped)s 行。", dropped=dropped), "success")
    return redirect(url_for(".catalogue_list"))
