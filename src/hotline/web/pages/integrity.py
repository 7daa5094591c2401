"""What moves figures without work being done, what the sample of answers says, and what wants correcting by matter."""

from flask import render_template
from sqlalchemy import select

from hotline.domain.people import Permission
from hotline.domain.sampling import RISK_NAMES
from hotline.domain.ticket import EXCLUSION_REASON_NAMES
from hotline.services.corrections import corrections
from hotline.services.integrity import SIGNAL_NAMES, integrity
from hotline.services.sampling import sample
from hotline.storage.engine import transaction
from hotline.storage.tables import District
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.reports import asked
from hotline.web.pages.session import View
from hotline.web.runtime import runtime

SOURCE_NAMES = {"agent": "坐席", "dispatcher": "派单员", "return": "退单改派"}


@bp.get("/reports/integrity")
@requires(Permission.READ_REPORTS)
def integrity_page() -> View:
    """What moves figures without work being done, and who decided it."""
    given = asked()
    with transaction(runtime().sessions) as session:
        found = integrity(session, runtime().context, given.period)
        drawn = sample(session, given.period)
    reasons = {code.value: name for code, name in EXCLUSION_REASON_NAMES.items()}
    return render_template(
        "integrity.html",
        found=found,
        given=given.query,
        reasons=reasons,
        signals=SIGNAL_NAMES,
        sample=drawn,
        risks=RISK_NAMES,
        share=runtime().context.answer_followup_share,
    )


@bp.get("/reports/corrections/<matter>")
@requires(Permission.READ_REPORTS)
def corrections_page(matter: str) -> View:
    """What of a matter wants correcting: tickets whose matter people changed, and catalogue entries that came back."""
    given = asked()
    with transaction(runtime().sessions) as session:
        found = corrections(session, runtime().context, given.period, matter)
        districts = {row.code: row.name for row in session.scalars(select(District))}
        return render_template(
            "corrections.html", found=found, given=given.query, sources=SOURCE_NAMES, districts=districts
        )
