"""The administrator's page of the department tree: look, add, rename, move, retire."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from hotline.domain.departments import DEPARTMENT_KIND_NAMES
from hotline.domain.people import Permission
from hotline.services import departments
from hotline.services.departments import Office
from hotline.services.errors import InvalidInput, NotFound
from hotline.storage.engine import transaction
from hotline.web.auth import SMALL_BODY, requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.refusals import refusal
from hotline.web.pages.session import View
from hotline.web.runtime import actor, runtime


@bp.get("/departments")
@requires(Permission.MANAGE_LISTS)
def department_list() -> View:
    """The tree, or what ``?text=`` finds in it; ``?retired=yes`` shows what is out of use too."""
    text, retired = request.args.get("text", "").strip()[:60], request.args.get("retired") == "yes"
    with transaction(runtime().sessions) as session:
        nodes = departments.tree(session)
        districts = departments.districts(session)
    shown = [
        node
        for node in nodes
        if (retired or node.office.active) and (text in node.office.name or text.upper() in node.office.code)
    ]
    kinds = {kind.value: _(name) for kind, name in DEPARTMENT_KIND_NAMES.items()}
    return render_template(
        "departments.html",
        nodes=shown,
        total=sum(node.office.active for node in nodes),
        out_of_use=sum(not node.office.active for node in nodes),
        text=text,
        retired=retired,
        kinds=kinds,
        districts=districts,
    )


@bp.get("/departments/new")
@requires(Permission.MANAGE_LISTS)
def new_department() -> View:
    """The form of a department that is still to be added."""
    return _form(None, {})


@bp.post("/departments/new")
@requires(Permission.MANAGE_LISTS, longest_body=SMALL_BODY)
def add_department() -> View:
    """Add a department."""
    office = _typed(request.form.get("code", "").strip().upper()[:100], active=True)
    try:
        with transaction(runtime().sessions) as session:
            departments.add(session, runtime().context, office, actor())
    except InvalidInput as error:
        return _form(None, request.form, {error.field: refusal(error.message)}), 422
    flash(_("已新增 %(name)s。", name=office.name), "success")
    return redirect(url_for(".department_list"))


@bp.get("/departments/<code>")
@requires(Permission.MANAGE_LISTS)
def department(code: str) -> View:
    """The form of a department."""
    return _form(code, None)


@bp.post("/departments/<code>")
@requires(Permission.MANAGE_LISTS, longest_body=SMALL_BODY)
def change_department(code: str) -> View:
    """Change what a department is called and where it stands."""
    try:
        with transaction(runtime().sessions) as session:
            present = _found(session, code)
            office = _typed(code, active=present.active)
            departments.change(session, runtime().context, office, actor())
    except InvalidInput as error:
        return _form(code, request.form, {error.field: refusal(error.message)}), 422
    flash(_("已保存 %(name)s。", name=office.name), "success")
    return redirect(url_for(".department_list"))


@bp.post("/departments/<code>/retire")
@requires(Permission.MANAGE_LISTS, longest_body=SMALL_BODY)
def retire_department(code: str) -> View:
    """Take a department out of use."""
    return _switch(code, active=False)


@bp.post("/departments/<code>/reopen")
@requires(Permission.MANAGE_LISTS, longest_body=SMALL_BODY)
def reopen_department(code: str) -> View:
    """Take a department back into use."""
    return _switch(code, active=True)


def _switch(code: str, *, active: bool) -> View:
    try:
        with transaction(runtime().sessions) as session:
            office = departments.switch(session, runtime().context, code, actor(), active=active)
    except InvalidInput as error:
        return _form(code, None, {error.field: refusal(error.message)}), 422
    flash(_("%(name)s 重新启用。", name=office.name) if active else _("已停用 %(name)s。", name=office.name), "success")
    return redirect(url_for(".department_list"))


def _found(session: Session, code: str) -> Office:
    found = departments.offices(session).get(code)
    if found is None:
        raise NotFound("there is no such department")
    return found


def _typed(code: str, *, active: bool) -> Office:
    given = {name: request.form.get(name, "").strip()[:200] for name in ("name", "kind", "parent", "district")}
    return Office(
        code=code,
        name=given["name"],
        kind=given["kind"],
        parent=given["parent"] or None,
        district=given["district"] or None,
        active=active,
    )


def _form(code: str | None, typed: Any, errors: dict[str, str] | None = None) -> str:
    with transaction(runtime().sessions) as session:
        office = _found(session, code) if code is not None else None
        every = departments.offices(session).values()
        districts = departments.districts(session)
    kinds = [(kind.value, _(name)) for kind, name in DEPARTMENT_KIND_NAMES.items()]
    parents = [
        (name, [(each.code, each.name) for each in every if each.kind == kind and each.active and each.code != code])
        for kind, name in kinds
    ]
    return render_template(
        "department.html",
        office=office,
        given=office if typed is None else typed,
        kinds=kinds,
        parents=parents,
        districts=list(districts.items()),
        errors=errors or {},
    )
