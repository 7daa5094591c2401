"""What the page of a call shows beside the form while the agent types, within 300 ms; nothing is saved by it."""

from collections.abc import Mapping
from typing import Any

from flask import render_template, request
from flask_babel import lazy_gettext

from hotline.domain.missing_facts import Fact
from hotline.domain.people import Permission
from hotline.domain.ticket import ComplaintType, Urgency
from hotline.services.assist import AskAdvice, advise
from hotline.storage.engine import transaction
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import runtime

QUESTIONS: Mapping[Fact, Any] = {
    Fact.INJURIES: lazy_gettext("是否有人受伤或被困？现在是否安全？"),
    Fact.PLACE: lazy_gettext("在哪里？路名、门牌、小区或附近的标志？"),
    Fact.SINCE_WHEN: lazy_gettext("从什么时候开始？一直这样还是偶尔？"),
    Fact.WHO: lazy_gettext("涉及哪个单位或场所？"),
    Fact.CONTACT: lazy_gettext("怎么联系？要不要匿名？"),
}

_FIRE = lazy_gettext("危险正在发生，请市民先离开并拨打 119，是否转 119？")
_POLICE = lazy_gettext("有人受到威胁，请立即转 110")
_RESCUE = lazy_gettext("有人需要急救，请立即转 120")
_SAFETY = lazy_gettext("请市民先保证人身安全、远离现场，是否转 110/119？")
_SOON = lazy_gettext("请问清地点和影响范围，提交后优先派单")

# What the agent does first, by what the urgency rules heard.
FIRST_STEPS: Mapping[str, Any] = {
    "gas_leak": lazy_gettext("疑似燃气泄漏：请市民开窗、不动电器、到室外，并转 119 和燃气抢修"),
    "fire": _FIRE,
    "trapped_people": _FIRE,
    "chemical": _FIRE,
    "collapse": _FIRE,
    "flood": _SAFETY,
    "electric_shock": lazy_gettext("请市民远离带电处，转 119 和供电抢修"),
    "self_harm": lazy_gettext("保持通话、安抚情绪，请班长立即转 110 和 120"),
    "violence": _POLICE,
    "rescue": _RESCUE,
    "missing_person": lazy_gettext("请转 110，并记下走失者的特征和最后地点"),
}


@bp.post("/calls/assist")
@requires(Permission.INTAKE)
def assist() -> View:
    """Advice on what has been typed so far, as a part of the page."""
    asked = _asked(request.form)
    with transaction(runtime().sessions) as session:
        advice = advise(session, runtime().context, asked)
        return render_template(
            "call_assist.html",
            advice=advice,
            typed=bool(asked.content.strip()),
            content=asked.content[:600],
            picked=asked.matter,
            questions=QUESTIONS,
            first_step=_first_step(advice.signals, advice.urgency),
        )


def _asked(form: Mapping[str, str]) -> AskAdvice:
    """Return the question; what is no code of ours was not chosen."""
    given = {name: form.get(name, "")[:200].replace("\x00", "") for name in ("title", "type", "matter", "urgency")}
    return AskAdvice(
        content=form.get("content", "")[:20_000],
        title=given["title"],
        type=given["type"] if given["type"] in list(ComplaintType) else "",
        matter=given["matter"] if given["matter"] in runtime().context.taxonomy.matters else "",
        urgency=given["urgency"] if given["urgency"] in list(Urgency) else "",
        district=form.get("district", "")[:40].replace("\x00", ""),
        address=form.get("address", "")[:200],
        phone=form.get("caller_phone", "")[:30],
        anonymous=bool(form.get("anonymous")),
    )


def _first_step(signals: tuple[str, ...], urgency: Urgency) -> Any:
    steps = [FIRST_STEPS[signal] for signal in signals if signal in FIRST_STEPS]
    if urgency is Urgency.CRITICAL:
        return steps[0] if steps else _SAFETY
    return steps[0] if steps else _SOON
