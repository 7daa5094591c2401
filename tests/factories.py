"""Things that tests need, made by the real services."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from hotline.bootstrap import Runtime, utc_now
from hotline.domain.people import Actor, Role
from hotline.domain.ticket import Action, Channel, FollowupResult, Satisfaction
from hotline.jobs.runner import Outcome
from hotline.ml.classifier import Candidate, Prediction
from hotline.services import dispatch, followup, handling, intake
from hotline.services.context import Context
from hotline.services.tokens import issue_token
from hotline.settings import Settings
from hotline.storage.engine import transaction
from hotline.storage.tables import Account, Base, Department, Job, Ticket

STREET_LIGHT = "幸福路与团结街交叉口的路灯坏了三天了，晚上过马路很危险"


class MovableClock:
    """A clock that stands where a test puts it."""

    def __init__(self) -> None:
        self.instant = utc_now()

    def __call__(self) -> datetime:
        """Return the present instant."""
        return self.instant

    def advance(self, **by: float) -> None:
        """Let time pass: ``advance(minutes=15)``."""
        self.instant += timedelta(**by)


@dataclass(frozen=True)
class ApiClient:
    """An API client with a token."""

    client: FlaskClient
    token: str

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **headers}

    def get(self, path: str, **query: object) -> TestResponse:
        """GET ``path``."""
        return self.client.get(path, query_string=query, headers=self._headers({}))

    def post(self, path: str, body: object, **headers: str) -> TestResponse:
        """POST ``body`` as JSON; ``idempotency_key=…`` and the like become headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.post_raw(path, json.dumps(body).encode(), **{"Content-Type": "application/json", **named})

    def post_raw(self, path: str, body: bytes, **headers: str) -> TestResponse:
        """POST bytes as they are."""
        return self.client.post(path, data=body, headers=self._headers(headers))


def token_for(parts: Runtime, username: str) -> str:
    """Return a fresh token of the account."""
    with transaction(parts.sessions) as session:
        account = session.scalars(select(Account).where(Account.username == username)).one()
        return issue_token(session, account, "test", utc_now() + timedelta(hours=1))


def actor_named(session: Session, username: str) -> Actor:
    """Return the account as an actor."""
    account = session.scalars(select(Account).where(Account.username == username)).one()
    return Actor(Role(account.role), account.id, account.department_id)


def department(session: Session, code: str) -> Department:
    """Return the department with ``code``."""
    return session.scalars(select(Department).where(Department.code == code)).one()


def at(context: Context, instant: datetime) -> Context:
    """Return the same surroundings at another time."""
    return replace(context, now=lambda: instant)


def run_jobs(parts: Runtime) -> list[Outcome]:
    """Run every queued job in this process, in order."""
    with transaction(parts.sessions) as session:
        waiting = session.scalars(select(Job.id).where(Job.state == "queued").order_by(Job.id)).all()
    return [parts.run_job(job_id) for job_id in waiting]


def receive(session: Session, context: Context, **given: Any) -> Ticket:
    """Log a call as agent01."""
    members: dict[str, Any] = {"channel": Channel.PHONE, "content": STREET_LIGHT} | given
    return intake.receive(session, context, intake.ReceiveTicket(**members), actor_named(session, "agent01")).ticket


def take(session: Session, context: Context, ticket: Ticket, action: Action) -> Ticket:
    """Take one ordinary step on a ticket that 城市管理局 leads, by whoever takes it there."""
    number = ticket.number
    match action:
        case Action.DISPATCH:
            command: Any = dispatch.DispatchTicket(number=number, matter="E03")
            return dispatch.dispatch(session, context, command, actor_named(session, "dispatcher01"))
        case Action.SIGN:
            return handling.sign(
                session, context, handling.SignTicket(number=number), actor_named(session, "cgj-handler")
            )
        case Action.REPLY:
            command = handling.ReplyToTicket(
                number=number, text="已更换灯头，路灯恢复照明", valid=True, contacted=True, resolved=True
            )
            return handling.reply(session, context, command, actor_named(session, "cgj-handler"))
        case Action.APPROVE:
            command = handling.ApproveReply(number=number)
            return handling.approve(session, context, command, actor_named(session, "cgj-lead"))
        case Action.FOLLOW_UP:
            command = followup.FollowUp(
                number=number, result=FollowupResult.RESOLVED, satisfaction=Satisfaction.SATISFIED
            )
            return followup.follow_up(session, context, command, actor_named(session, "followup01"))
        case _:
            raise ValueError(f"{action} is not on the ordinary road")


ROAD = (Action.DISPATCH, Action.SIGN, Action.REPLY, Action.APPROVE, Action.FOLLOW_UP)


def ticket_after(session: Session, context: Context, last: Action | None, **given: Any) -> Ticket:
    """Return a ticket that has come along the ordinary road up to and with ``last`` (None: just received)."""
    ticket = receive(session, context, **given)
    for action in ROAD[: ROAD.index(last) + 1] if last else ():
        take(session, context, ticket, action)
    return ticket


@dataclass(frozen=True)
class SettledClassifier:
    """A classifier that has made up its mind before it reads."""

    matter: str = "E03"
    auto: bool = True
    type: str = "投诉"
    urgency: str = "normal"
    confidence: float = 0.95
    version: str = "settled-1"

    def predict(self, title: str, content: str) -> Prediction:
        """Say what it was made to say."""
        top = (Candidate(self.matter, self.confidence), Candidate("G09", 0.03), Candidate("A01", 0.02))
        return Prediction(
            matter=self.matter,
            task=self.matter[0],
            confidence=self.confidence,
            auto=self.auto,
            top=top,
            type=self.type,
            urgency=self.urgency,
            evidence=("路灯",),
            signals=(),
        )


def with_classifier(context: Context, classifier: SettledClassifier | None) -> Context:
    """Return the same surroundings with another model, or with none."""
    return replace(context, classifier=lambda: classifier)


def row_counts(parts: Runtime) -> dict[str, int]:
    """Return how many rows each table has, but for the audit log, in which a refusal leaves its trace."""
    tables = [(name, table) for name, table in Base.metadata.tables.items() if name != "audit_entry"]
    query = select(*(select(func.count()).select_from(table).scalar_subquery().label(name) for name, table in tables))
    with transaction(parts.sessions) as session:
        return dict(session.execute(query).one()._mapping)


def settings_environment(settings: Settings) -> dict[str, str]:
    """Return the environment variables from which another process reads the same settings."""
    return {
        "HOTLINE_DATABASE_URL": settings.database_url,
        "HOTLINE_REDIS_URL": settings.redis_url,
        "HOTLINE_SECRET_KEY": settings.secret_key.get_secret_value(),
        "HOTLINE_INDEX_KEY": settings.index_key.get_secret_value(),
        "HOTLINE_ENCRYPTION_KEYS": ",".join(key.get_secret_value() for key in settings.encryption_keys),
        "HOTLINE_ENVIRONMENT": settings.environment,
    }
