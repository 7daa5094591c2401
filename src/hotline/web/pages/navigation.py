"""Where one can go from every page: the navigation by what each role may do, and the language of the interface."""

from dataclasses import dataclass
from typing import Any

from flask import redirect, request
from flask_babel import lazy_gettext
from werkzeug import Response

from hotline.domain.people import Permission
from hotline.web.auth import SMALL_BODY, requires, safe_next
from hotline.web.pages.blueprint import bp
from hotline.web.runtime import actor, runtime

# The languages there are, and Babel's names for them.
LANGUAGES = {"zh": "zh_Hans_CN", "en": "en"}
COOKIE = "language"
_YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Place:
    """A page that the navigation leads to, for those who hold ``permission``; ``key`` goes there from any page."""

    endpoint: str
    name: Any
    permission: Permission
    key: str = ""


PLACES = (
    Place("pages.new_ticket", lazy_gettext("登记来电"), Permission.INTAKE, "n"),
    Place("pages.board", lazy_gettext("看板"), Permission.READ_REPORTS, "b"),
    Place("pages.dispatch_desk", lazy_gettext("派单"), Permission.DISPATCH, "d"),
    Place("pages.request_list", lazy_gettext("待审"), Permission.DISPATCH, "r"),
    Place("pages.call_list", lazy_gettext("回访"), Permission.FOLLOW_UP, "f"),
    Place("pages.ticket_list", lazy_gettext("工单"), Permission.READ_TICKETS, "q"),
    Place("pages.report_page", lazy_gettext("报表"), Permission.READ_REPORTS),
    Place("pages.department_list", lazy_gettext("承办单位"), Permission.MANAGE_LISTS),
    Place("pages.catalogue_list", lazy_gettext("权责清单"), Permission.MANAGE_LISTS),
    Place("pages.knowledge_list", lazy_gettext("知识库"), Permission.MANAGE_LISTS),
    Place("pages.limit_list", lazy_gettext("时限"), Permission.MANAGE_LISTS),
    Place("pages.calendar_page", lazy_gettext("日历"), Permission.MANAGE_LISTS),
    Place("pages.models", lazy_gettext("模型"), Permission.READ_MODELS),
    Place("pages.account_list", lazy_gettext("账号"), Permission.MANAGE_ACCOUNTS),
    Place("pages.audit_log", lazy_gettext("审计日志"), Permission.READ_AUDIT),
)


def navigation() -> list[Place]:
    """Return the places that who looks at the page may go to, in their order."""
    return [place for place in PLACES if actor().may(place.permission)]


def language() -> str:
    """Return the language that this browser has chosen, Chinese unless it has."""
    chosen = request.cookies.get(COOKIE)
    return chosen if chosen in LANGUAGES else "zh"


def locale() -> str:
    """Return Babel's name of the page's language."""
    return LANGUAGES[language()]


@bp.post("/language")
@requires(Permission.SIGNED_IN, longest_body=SMALL_BODY)
def choose_language() -> Response:
    """Remember the language in this browser and show the page one came from again."""
    chosen = request.form.get("language", "")
    response: Response = redirect(safe_next(_came_from()) or "/")
    if chosen in LANGUAGES:
        secure = runtime().app.config["SESSION_COOKIE_SECURE"]
        response.set_cookie(COOKIE, chosen, max_age=_YEAR_SECONDS, httponly=True, samesite="Lax", secure=secure)
    return response


def _came_from() -> str | None:
    """Return the path of the page that sent the form, when the browser tells and it is of this site."""
    origin = request.host_url.rstrip("/")
    referrer = request.referrer or ""
    return referrer.removeprefix(origin) if referrer.startswith(f"{origin}/") else None
