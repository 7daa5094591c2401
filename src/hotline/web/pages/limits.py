"""The administrator's page of the time limits: which sets there are, which one is in force, what each says."""

from flask import render_template, request

from hotline.domain.people import Permission
from hotline.services.departments import districts
from hotline.services.timekeeping import limit_sets, load_timekeeping
from hotline.storage.engine import transaction
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import runtime


@bp.get("/limits")
@requires(Permission.MANAGE_LISTS)
def limit_list() -> View:
    """The sets, and the rules of the one in force or of ``?version=``."""
    now = runtime().context.now()
    with transaction(runtime().sessions) as session:
        present = load_timekeeping(session)
        rules = present.limits_versioned(request.args.get("version", "")[:100]) or present.limits_at(now)
        return render_template(
            "limits.html",
            sets=present.limit_sets,
            imported={row.version: row for row in limit_sets(session)},
            in_force=present.limits_at(now).version,
            shown=rules,
            districts=districts(session),
        )
