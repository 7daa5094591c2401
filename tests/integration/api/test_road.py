"""The five steps of the main job through the API, with the model that ships."""

from collections.abc import Callable
from datetime import timedelta

from tests.factories import STREET_LIGHT, ApiClient, run_jobs

from hotline.bootstrap import Runtime, utc_now
from hotline.jobs.runner import Outcome

Api = Callable[[str], ApiClient]


def test_a_call_becomes_a_closed_ticket_and_a_line_of_the_report(api: Api, parts: Runtime) -> None:
    agent, handler, lead = api("agent01"), api("cgj-handler"), api("cgj-lead")
    made = agent.post("/api/v1/tickets", {"channel": "phone", "content": STREET_LIGHT})
    assert made.status_code == 201
    number = made.json["number"]
    assert made.headers["Location"].endswith(number)

    assert run_jobs(parts) == [Outcome.DONE]

    path = f"/api/v1/tickets/{number}"
    triaged = agent.get(path).json
    assert (triaged["task"], triaged["matter"], triaged["matter_source"]) == ("E", "E03", "model")
    assert triaged["prediction"]["model_version"]
    assert len(triaged["prediction"]["top"]) >= 3
    assert any("路灯" in word for word in triaged["prediction"]["evidence"])
    assert triaged["state"] == "awaiting_sign"
    assert triaged["lead_department"] == "澜州市城市管理局"
    assert triaged["cohandlers"] == ["澜州供电公司"]
    assert triaged["sign_due"] and triaged["handle_due"]

    reply = {"text": "已更换灯头", "valid": True, "contacted": True, "resolved": True}
    assert handler.post(f"{path}/actions/sign", {}).json["state"] == "handling"
    assert handler.post(f"{path}/actions/reply", reply).json["state"] == "replied"
    assert lead.post(f"{path}/actions/approve", {}).json["state"] == "awaiting_followup"
    said = {"result": "resolved", "satisfaction": "satisfied"}
    closed = api("followup01").post(f"{path}/actions/follow_up", said).json
    assert closed["state"] == "closed"
    steps = ["received", "triaged", "dispatch", "sign", "reply", "approve", "follow_up", "close"]
    assert [event["kind"] for event in closed["events"]] == steps

    today = utc_now().date()
    period = {"from": (today - timedelta(days=1)).isoformat(), "to": (today + timedelta(days=1)).isoformat()}
    report = api("supervisor01").get("/api/v1/reports/summary", **period).json
    assert report["total"]["received"] == 1
    assert report["total"]["resolution"] == {"numerator": 1, "denominator": 1, "rate": 1.0}
    assert report["total"]["satisfaction"] == {"numerator": 1, "denominator": 1, "rate": 1.0}
    assert {line["code"]: line["received"] for line in report["by_task"]}["E"] == 1
    assert [line["code"] for line in report["by_department"]] == ["CGJ"]
