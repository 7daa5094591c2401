"""Reports over the API."""

from apiflask import APIBlueprint

from hotline.domain.people import Permission
from hotline.services.countings import catch_up
from hotline.services.reporting import summary
from hotline.storage.engine import transaction
from hotline.web.api import schemas
from hotline.web.api.periods import parse_period
from hotline.web.api.representation import summary_out
from hotline.web.auth import requires
from hotline.web.runtime import runtime

bp = APIBlueprint("reports", __name__, url_prefix="/api/v1/reports", tag="Reports")


@bp.get("/summary")
@bp.input(schemas.PeriodQuery, location="query", arg_name="query")
@bp.output(schemas.SummaryOut)
@bp.doc(summary="Volume, on-time signing and completion, resolution and satisfaction of a period")
@requires(Permission.READ_REPORTS)
def read_summary(query: schemas.PeriodQuery) -> schemas.SummaryOut:
    """Summarise a period by task and department."""
    context = runtime().context
    period = parse_period(query.start, query.to, context.now())
    with transaction(runtime().sessions) as session:
        catch_up(session)
    with transaction(runtime().sessions) as session:
        return summary_out(summary(session, context, period))
