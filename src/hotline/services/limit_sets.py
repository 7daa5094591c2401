"""Import a set of limits (时限规则): whole, with a version, for what starts from a given instant."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

from sqlalchemy.orm import Session

from hotline.domain.audit import AuditAction
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.limit import LimitError
from hotline.domain.limits import LimitRules, Rule, rules_from_mapping, rules_to_mapping
from hotline.domain.people import Actor
from hotline.domain.ticket import ComplaintType, Urgency
from hotline.domain.timekeeping import LimitSet, Timekeeping, in_order
from hotline.services import audit
from hotline.services.calendars import start_recomputing
from hotline.services.context import Context
from hotline.services.errors import Conflict, InvalidInput
from hotline.services.timekeeping import as_value, limit_sets
from hotline.storage.tables import LimitSetRow


@dataclass(frozen=True, slots=True)
class LimitsPlan:
    """What an import would do: the set, from when it holds, the sets then in force, and the lines that change."""

    rules: LimitRules
    valid_from: datetime
    timekeeping: Timekeeping
    changes: tuple[str, ...]


def plan_import(session: Session, context: Context, given: object, valid_from: datetime | None) -> LimitsPlan:
    """Read a parsed file ``{"version", "valid_from"?, "rules": […]}``; ``valid_from`` given here comes first.

    Raises ``InvalidInput`` that says what cannot be read, and ``Conflict`` when the version is known already.
    """
    if not isinstance(given, dict):
        raise InvalidInput("limits", "the file holds no object")
    stated = given.get("valid_from")
    try:
        rules = rules_from_mapping({name: value for name, value in given.items() if name != "valid_from"})
        _check_codes(context, rules)
    except LimitError as error:
        raise InvalidInput("limits", str(error)) from error
    since = valid_from or (_instant(stated) if stated is not None else context.now())
    present = context.timekeeping()
    if present.limits_versioned(rules.version) is not None:
        raise Conflict(f"there is a set of limits with the version {rules.version!r} already; name it anew")
    sets = [*(as_value(row) for row in limit_sets(session)), LimitSet(since, rules)]
    after = replace(present, limit_sets=in_order(sets))
    return LimitsPlan(rules, since, after, tuple(_changes(present.limits_at(since), rules)))


def _check_codes(context: Context, rules: LimitRules) -> None:
    """Raise ``LimitError`` for a code that does not exist: such a rule would never fire, and nobody would notice."""
    known: dict[str, frozenset[str]] = {
        "type": frozenset(ComplaintType),
        "urgency": frozenset(Urgency),
        "matter": frozenset(context.taxonomy.matters),
    }
    for rule in rules.rules:
        for name, codes in known.items():
            value = getattr(rule, name)
            if value is not None and value not in codes:
                raise LimitError(f"the rule {rule} names the {name} {value!r}, which does not exist")


def _instant(value: object) -> datetime:
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
    except ValueError:
        raise InvalidInput("valid_from", "is not a date like 2027-01-01") from None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=CITY_ZONE)
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=CITY_ZONE)
    raise InvalidInput("valid_from", "is not a date like 2027-01-01")


def _changes(before: LimitRules, after: LimitRules) -> list[str]:
    old, new = ({rule.scope: rule for rule in rules.rules} for rules in (before, after))
    lines = [f"- {rule}" for scope, rule in old.items() if scope not in new]
    lines += [f"+ {rule}" for scope, rule in new.items() if scope not in old]
    return lines + [f"~ {rule} (was {old[scope].limit})" for scope, rule in new.items() if _differs(rule, old, scope)]


def _differs(rule: Rule, old: Mapping[tuple[str | None, ...], Rule], scope: tuple[str | None, ...]) -> bool:
    return scope in old and old[scope].limit != rule.limit


def import_limits(session: Session, context: Context, plan: LimitsPlan, actor: Actor) -> None:
    """Add the planned set; when it holds for what runs already, the dues of open tickets are computed anew."""
    lines: list[dict[str, Any]] = rules_to_mapping(plan.rules)["rules"]
    session.add(
        LimitSetRow(
            version=plan.rules.version,
            valid_from=plan.valid_from,
            rules=lines,
            imported_at=context.now(),
            imported_by=actor.address or actor.role,
        )
    )
    session.flush()
    if plan.valid_from <= context.now():
        start_recomputing(session, context, "limits_imported")
    detail = {"version": plan.rules.version, "valid_from": plan.valid_from.isoformat(), "changes": len(plan.changes)}
    audit.append(session, context, actor, AuditAction.LIMITS_IMPORTED, detail=detail)


def in_force(context: Context, plan: LimitsPlan) -> Context:
    """Return the same surroundings with the planned set, to see what it would change."""
    return replace(context, timekeeping=lambda: plan.timekeeping)
