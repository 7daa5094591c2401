"""Calls over the API: the telephone system announces a number and gets a link that the agent's screen opens (弹屏)."""

import orjson
from apiflask import APIBlueprint
from flask import Response, url_for

from hotline.domain.people import Permission
from hotline.services import calls
from hotline.storage.engine import transaction
from hotline.web.api import schemas
from hotline.web.auth import requires
from hotline.web.runtime import runtime

bp = APIBlueprint("calls", __name__, url_prefix="/api/v1/calls", tag="Calls")


@bp.post("")
@bp.input(schemas.CallIn, arg_name="body")
@bp.output(schemas.CallOut, status_code=201)
@bp.doc(
    summary="Announce a call",
    description="The answer's url opens the form of a call with the number in it, for an agent who is signed in. "
    "It tells nothing of the number and opens for twelve hours.",
    responses={400: "Broken JSON", 415: "Not JSON", 422: "A field is wrong"},
)
@requires(Permission.INTAKE)
def announce_call(body: schemas.CallIn) -> Response:
    """Announce a call."""
    with transaction(runtime().sessions) as session:
        token = calls.announce(session, runtime().context, body.phone)
    url = url_for("pages.announced_call", token=token, _external=True)
    return Response(orjson.dumps({"url": url}), 201, content_type="application/json", headers={"Location": url})
