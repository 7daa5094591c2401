"""The supervisor's board of now; every figure leads to its tickets."""

from flask import render_template

from hotline.domain.people import Permission
from hotline.services.board import board as count
from hotline.services.queues import TAB_NAMES
from hotline.services.requests import KIND_NAMES
from hotline.storage.engine import transaction
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import actor, runtime


@bp.get("/board")
@requires(Permission.READ_REPORTS)
def board() -> View:
    """The board."""
    return render_template("board.html", **_figures())


@bp.get("/board/now")
@requires(Permission.READ_REPORTS, in_background=True)
def board_now() -> View:
    """The board's figures anew, as a part of the page, which asks for them by itself."""
    return render_template("board_now.html", **_figures())


def _figures() -> dict[str, object]:
    with transaction(runtime().sessions) as session:
        found = count(session, runtime().context, actor())
    return {"board": found, "tab_names": TAB_NAMES, "kind_names": KIND_NAMES}
