"""The road of every list: out as Excel, in as Excel, a dry run in between that shows what would change."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Permission
from hotline.services import departments, dues
from hotline.services.errors import Conflict, Forbidden, InvalidInput, NotFound
from hotline.services.lists import calendar, importing, limits
from hotline.services.lists.catalogue import as_draft
from hotline.services.lists.listing import Draft, ImportList, Option
from hotline.services.lists.registry import LISTS
from hotline.services.lists.workbook import LARGEST_FILE, MEDIA_TYPE, MOST_ERRORS, RowsRefused
from hotline.services.replaying import by_change, replay
from hotline.storage.engine import transaction
from hotline.web.auth import SMALL_BODY, requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.refusals import refusal
from hotline.web.pages.session import View
from hotline.web.problems import Problem
from hotline.web.runtime import actor, runtime

# The file, and what a form carries beside it.
LONGEST_BODY = LARGEST_FILE + SMALL_BODY

# Where each list is looked at.
PAGES = {
    "departments": "pages.department_list",
    "catalogue": "pages.catalogue_list",
    "knowledge": "pages.knowledge_list",
    "accounts": "pages.account_list",
    "limits": "pages.limit_list",
    "calendar": "pages.calendar_page",
}

# Whose dry run can say which open tickets would be due otherwise.
PLANNED = {"limits": limits.planned, "calendar": calendar.planned}

# More rows of one kind than this nobody reads on a page; all of them are counted and applied.
MOST_SHOWN = 200
REPLAYED = (1_000, 5_000, 20_000)


def _list(name: str) -> ImportList:
    """Return the list of this name.  Raises ``NotFound``, and ``Problem`` for one that who asks may not keep."""
    if name not in LISTS:
        raise NotFound("there is no such list")
    which = LISTS[name]
    if not actor().may(which.permission):
        raise Problem(403, f"the role '{actor().role}' lacks the permission '{which.permission}'")
    return which


@bp.get("/lists/<name>/export")
@requires(Permission.MANAGE_LISTS)
def export_list(name: str) -> Response:
    """The list as it is now, as a workbook that can be changed and imported."""
    which = _list(name)
    with transaction(runtime().sessions) as session:
        content = importing.export(session, runtime().context, which, actor())
    day = runtime().context.now().astimezone(CITY_ZONE)
    response = Response(content, content_type=MEDIA_TYPE)
    response.headers["Content-Disposition"] = f"attachment; filename={name}-{day:%Y%m%d}.xlsx"
    return response


@bp.get("/lists/<name>/import")
@requires(Permission.MANAGE_LISTS)
def import_form(name: str) -> View:
    """Where a workbook is uploaded."""
    return _form(_list(name))


def _form(which: ImportList, **more: Any) -> str:
    return render_template(
        "list_import.html", which=which, back=PAGES[which.name], Option=Option, most=MOST_ERRORS, **more
    )


@bp.post("/lists/<name>/import")
@requires(Permission.MANAGE_LISTS, longest_body=LONGEST_BODY)
def upload_list(name: str) -> View:
    """Read a workbook and show its dry run, or what is wrong with it."""
    which = _list(name)
    content = _uploaded()
    typed = {option.value: request.form.get(option, "").strip()[:100] for option in which.options}
    if not content:
        return _form(which, typed=typed, wrong={"file": _("请选择文件。")}), 422
    try:
        with transaction(runtime().sessions) as session:
            import_id = importing.upload(session, runtime().context, which, content, typed, actor())
    except RowsRefused as refused:
        return _form(which, typed=typed, errors=refused.errors), 422
    except InvalidInput as error:
        return _form(which, typed=typed, wrong={error.field: refusal(error.message)}), 422
    except Conflict as error:
        return _form(which, typed=typed, wrong={"file": refusal(str(error))}), 409
    return redirect(url_for(".dry_run", name=name, import_id=import_id))


def _uploaded() -> bytes:
    """Return the file of the form, or as much of it as tells that it is too large; nothing when none was chosen."""
    content = b""
    for file in request.files.getlist("file")[:1]:
        content = file.stream.read(LARGEST_FILE + 1)
        file.close()
    return content


@bp.get("/lists/<name>/import/<int:import_id>")
@requires(Permission.MANAGE_LISTS)
def dry_run(name: str, import_id: int) -> View:
    """What an upload would change, against what is there now."""
    return _dry_run(_list(name), import_id)


def _dry_run(which: ImportList, import_id: int, *, stale: bool = False) -> View:
    context = runtime().context
    try:
        with transaction(runtime().sessions) as session:
            draft = importing.opened(session, context, which, import_id, actor())
            warnings = [refusal(warning) for warning in which.warn(session, context, draft)]
            looked, codes = _looked_into(session, which, draft), _codes(session)
    except NotFound:
        flash(_("这次导入已经执行或放弃。"), "warning")
        return redirect(url_for(".import_form", name=which.name))
    except RowsRefused as refused:
        return _form(which, errors=refused.errors, import_id=import_id), 409
    except (InvalidInput, Conflict) as error:
        why = refusal(error.message if isinstance(error, InvalidInput) else str(error))
        return _form(which, wrong={"file": why}, import_id=import_id), 409
    page = render_template(
        "list_dry_run.html",
        which=which,
        back=PAGES[which.name],
        draft=draft,
        import_id=import_id,
        warnings=warnings,
        stale=stale,
        most=MOST_SHOWN,
        replayed=REPLAYED,
        codes=codes,
        **looked,
    )
    return (page, 409) if stale else page


def _codes(session: Session) -> dict[str, dict[str, str]]:
    """Return what the codes in columns of that name stand for: nobody knows a whole city's codes by heart."""
    names = {office.code: office.name for office in departments.offices(session).values()}
    matters = {matter.code: matter.name for matter in runtime().context.taxonomy.matters.values()}
    return {
        "matter": matters,
        "district": departments.districts(session),
        **dict.fromkeys(("parent", "lead", "cohandlers", "owner", "department"), names),
    }


def _looked_into(session: Session, which: ImportList, draft: Draft) -> Mapping[str, Any]:
    """Return what a dry run shows when it is asked to: which tickets would have gone, or would be due, otherwise."""
    last = request.args.get("last", "")
    if which.name == "catalogue" and last in map(str, REPLAYED):
        found = replay(session, as_draft(draft), int(last))
        return {"replay": found, "by_change": by_change(found), "last": int(last)}
    if which.name in PLANNED and request.args.get("shifts") == "yes":
        planned = PLANNED[which.name](session, runtime().context, draft)
        return {"shifts": Counter(_moved(shift) for shift in dues.shifts(session, planned))} if planned else {}
    return {}


def _moved(shift: dues.Shift) -> tuple[str, bool]:
    """Return which due moves, and whether it moves to a later instant (or away)."""
    kind = shift.due.removesuffix("_due").replace("followup", "follow_up")
    return kind, shift.after is None or (shift.before is not None and shift.after > shift.before)


@bp.post("/lists/<name>/import/<int:import_id>/apply")
@requires(Permission.MANAGE_LISTS, longest_body=SMALL_BODY)
def apply_import(name: str, import_id: int) -> View:
    """Do what the dry run showed, all of it or nothing."""
    which = _list(name)
    shown = request.form.get("digest", "")[:100]
    try:
        with transaction(runtime().sessions) as session:
            applied = importing.apply(session, runtime().context, which, import_id, shown, actor())
    except NotFound:
        flash(_("这次导入已经执行或放弃。"), "warning")
        return redirect(url_for(PAGES[name]))
    except Forbidden as error:
        flash(_("没有执行：%(why)s", why=refusal(str(error))), "danger")
        return redirect(url_for(".dry_run", name=name, import_id=import_id))
    except (Conflict, InvalidInput, RowsRefused):
        # The fresh dry run says what is different now.
        return _dry_run(which, import_id, stale=True)
    if applied.passwords:
        return render_template("list_passwords.html", which=which, back=PAGES[name], applied=applied)
    flash(_("已导入：%(changes)s 处变更。", changes=applied.changes), "success")
    return redirect(url_for(PAGES[name]))


@bp.post("/lists/<name>/import/<int:import_id>/drop")
@requires(Permission.MANAGE_LISTS, longest_body=SMALL_BODY)
def drop_import(name: str, import_id: int) -> View:
    """Forget an upload; nothing has been changed by it."""
    which = _list(name)
    with transaction(runtime().sessions) as session:
        importing.drop(session, which, import_id, actor())
    flash(_("已放弃导入，没有任何变更。"), "success")
    return redirect(url_for(PAGES[name]))
