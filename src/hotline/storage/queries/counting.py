"""Make the countings of tickets in SQL, a batch in one statement: take the old ones away, write the new, carry the
difference into the daily sums.

The definitions are those of ``hotline.domain.facts``; a command and a test hold both equal.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from hotline.domain.kpi import CONTENT, ONE_PASS_SETTLES, VALID_RESULTS
from hotline.domain.replay import STOPS, TURNS

# One at a time: two that count the same ticket would carry its difference twice.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('hotline.countings'))")

_DIMENSIONS = "district, task, matter, channel, type, excluded"
_COLUMNS = f"ticket_id, measure, at, hit_at, department_id, seconds, {_DIMENSIONS}"
CITY_DAY = "(at AT TIME ZONE 'Asia/Shanghai')::date"


def _listed(codes: Collection[str]) -> str:
    return ", ".join(f"'{code}'" for code in sorted(codes))


def _holder(ticket: str, instant: str) -> str:
    """The department that holds the ticket at an instant."""
    return (
        f"(SELECT h.department_id FROM assignment h WHERE h.ticket_id = {ticket} AND h.at <= {instant} "
        f"AND (h.ended_at IS NULL OR h.ended_at > {instant}) ORDER BY h.at DESC LIMIT 1)"
    )


def _in_time(done: str, due: str) -> str:
    return f"CASE WHEN {done} <= {due} THEN {done} END"


def _counts(due: str, done: str, ended: str) -> str:
    """What was done counts; what ended before its due undone does not."""
    return f"({done} IS NOT NULL OR {ended} IS NULL OR {ended} > {due})"


_ANONYMOUS = "EXISTS (SELECT FROM caller c WHERE c.ticket_id = t.id AND c.anonymous)"
_REPEATED = f"""EXISTS (
    SELECT FROM caller c JOIN caller again ON again.phone_index = c.phone_index AND again.ticket_id <> c.ticket_id
    JOIN ticket later ON later.id = again.ticket_id
    WHERE c.ticket_id = t.id AND later.matter = t.matter AND later.received_at > t.closed_at
      AND later.received_at <= t.closed_at + interval '{ONE_PASS_SETTLES.days} days')"""

# measure → what follows SELECT: ticket, measure, at, hit_at, department, seconds.
_PARTS = f"""
SELECT t.id, 'received', t.received_at, CASE WHEN t.answer IS NOT NULL THEN t.ended_early_at END,
       t.lead_department_id, NULL::float8
FROM t
UNION ALL
SELECT t.id, 'dispatched', a.at,
       (SELECT min(r.asked_at) FROM return_request r WHERE r.assignment_id = a.id AND r.state <> 'cancelled'),
       a.department_id, NULL
FROM t JOIN assignment a ON a.ticket_id = t.id
UNION ALL
SELECT t.id, 'signing', a.sign_due, {_in_time("a.signed_at", "a.sign_due")}, a.department_id, NULL
FROM t JOIN assignment a ON a.ticket_id = t.id
WHERE {_counts("a.sign_due", "a.signed_at", "a.ended_at")} AND (a.signed_at IS NOT NULL OR NOT EXISTS (
    SELECT FROM return_request r WHERE r.assignment_id = a.id AND r.state IN ('pending', 'accepted')
    AND r.asked_at <= a.sign_due))
UNION ALL
SELECT t.id, 'first_dispatch', a.at,
       (SELECT min(r.decided_at) FROM return_request r WHERE r.assignment_id = a.id AND r.state = 'accepted'),
       a.department_id, NULL
FROM t JOIN LATERAL (SELECT * FROM assignment f WHERE f.ticket_id = t.id ORDER BY f.id LIMIT 1) a ON true
UNION ALL
SELECT t.id, m.measure, t.handle_due, {_in_time("t.completed_at", "t.handle_due")},
       {_holder("t.id", "t.handle_due")}, NULL
FROM t CROSS JOIN (VALUES ('completion'), ('extended')) m (measure)
WHERE t.handle_due IS NOT NULL AND {_counts("t.handle_due", "t.completed_at", "t.ended_early_at")}
  AND (m.measure = 'completion' OR EXISTS (
      SELECT FROM extension e WHERE e.ticket_id = t.id AND e.state = 'approved'
      AND (t.completed_at IS NULL OR e.decided_at < t.completed_at)))
UNION ALL
SELECT t.id, 'contact', t.contact_due, {_in_time("t.contacted_at", "t.contact_due")},
       {_holder("t.id", "t.contact_due")}, NULL
FROM t
WHERE t.contact_due IS NOT NULL AND NOT {_ANONYMOUS}
  AND {_counts("t.contact_due", "t.contacted_at", "t.ended_early_at")}
UNION ALL
SELECT t.id, 'handled', t.completed_at, NULL, {_holder("t.id", "t.completed_at")},
       extract(epoch FROM t.completed_at - t.dispatched_at)::float8
FROM t WHERE t.completed_at IS NOT NULL AND t.dispatched_at IS NOT NULL
UNION ALL
SELECT t.id, 'one_pass', t.closed_at,
       CASE WHEN t.returns = 0 AND t.reworks = 0 AND NOT {_REPEATED} THEN t.closed_at END,
       {_holder("t.id", "t.closed_at")}, NULL
FROM t WHERE t.closed_at IS NOT NULL AND t.dispatched_at IS NOT NULL
UNION ALL
SELECT t.id, 'followup_due', f.due, CASE WHEN f.result IS DISTINCT FROM 'anonymous' THEN f.at END,
       {_holder("t.id", "f.due")}, NULL
FROM t JOIN followup f ON f.ticket_id = t.id AND f.caller_ticket_id = t.id
WHERE t.dispatched_at IS NOT NULL AND NOT {_ANONYMOUS} AND {_counts("f.due", "f.at", "t.ended_early_at")}
UNION ALL
SELECT t.id, m.measure, f.at,
       CASE m.measure WHEN 'followed_up' THEN CASE WHEN f.result IN ({_listed(VALID_RESULTS)}) THEN f.at END
                      WHEN 'resolution' THEN CASE WHEN f.result = 'resolved' THEN f.at END
                      ELSE CASE WHEN f.satisfaction IN ({_listed(CONTENT)}) THEN f.at END END,
       {_holder("t.id", "f.at")}, NULL
FROM t JOIN followup f ON f.ticket_id = t.id AND f.result <> 'anonymous'
CROSS JOIN (VALUES ('followed_up'), ('resolution'), ('satisfaction')) m (measure)
WHERE CASE m.measure WHEN 'followed_up' THEN true WHEN 'resolution' THEN f.result IN ({_listed(VALID_RESULTS)})
                     ELSE f.satisfaction IS NOT NULL END
UNION ALL
SELECT t.id, 'rework', r.at_end, r.again, {_holder("t.id", "r.at_end")}, NULL
FROM t JOIN LATERAL (
    SELECT coalesce(max(s.at), max(s.again)) AS at_end, max(s.again) AS again FROM (
        SELECT f.round, f.at, NULL::timestamptz AS again FROM followup f
        WHERE f.ticket_id = t.id AND f.result <> 'anonymous'
        UNION ALL
        SELECT (e.data ->> 'round')::int - 1, NULL, e.at FROM ticket_event e
        WHERE t.reworks > 0 AND e.ticket_id = t.id AND e.kind = 'rework'
    ) s GROUP BY s.round
) r ON true
"""

# Each dimension alone, and the hour of the city's day in which somebody called.
ALONE = ("whole", "department_id", "district", "task", "matter", "channel", "type", "hour")
EACH_ALONE = """
CROSS JOIN LATERAL (VALUES ('whole', NULL), ('department_id', department_id::text), ('district', district),
    ('task', task), ('matter', matter), ('channel', channel), ('type', type),
    ('hour', to_char(at AT TIME ZONE 'Asia/Shanghai', 'HH24'))) side (dimension, key)"""
_SIDES = "dimension <> 'hour' OR measure = 'received'"
_HITS = "CASE WHEN hit_at IS NULL THEN 0 ELSE n END"


def _summed(table: str, keys: str, rows: str, condition: str = "true") -> str:
    """Carry ``rows`` (a counting's columns and ``n``, how often it was added) into the daily sums of ``table``."""
    return f"""
    INSERT INTO {table} AS kept (day, {keys}, n, hits)
    SELECT {CITY_DAY}, {keys}, sum(n), sum({_HITS}) FROM {rows} WHERE {condition}
    GROUP BY {CITY_DAY}, {keys} HAVING sum(n) <> 0 OR sum({_HITS}) <> 0
    ON CONFLICT (day, {keys}) DO UPDATE SET n = kept.n + excluded.n, hits = kept.hits + excluded.hits"""


def _into_sums(rows: str) -> tuple[str, str]:
    """Return the statements that carry ``rows`` into the sums of all dimensions together, and of each alone."""
    together, alone = "measure, department_id, district, task, excluded", "dimension, key, measure, excluded"
    return (
        _summed("counted_day", together, rows),
        _summed("counted_day_by", alone, f"{rows} {EACH_ALONE}", _SIDES),
    )


def _changed(table: str, columns: str, fresh: str) -> str:
    """The rows of ``fresh`` and those of ``table`` that are not among the others, with how many there are more now.

    Most of what is counted again has not changed, and what has not is not touched.
    """
    return f"""
    SELECT {columns}, sum(n) AS n, count(*) FILTER (WHERE n = 1) AS births, array_agg(place) AS places FROM (
        SELECT ctid AS place, -1 AS n, {columns} FROM {table} WHERE ticket_id = ANY(:ids)
        UNION ALL
        SELECT NULL, 1, {columns} FROM {fresh}
    ) both_sides GROUP BY {columns} HAVING sum(n) <> 0"""


def _replaced(table: str, columns: str) -> str:
    """The parts of a statement that replace what ``changed`` says."""
    return f"""gone AS (
    DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT unnest(places) FROM changed))
), born AS (
    INSERT INTO {table} ({columns}) SELECT {columns} FROM changed, generate_series(1, births)
)"""


_TICKETS = "SELECT *, excluded_at IS NOT NULL AS excluded FROM ticket WHERE id = ANY(:ids)"
_TOGETHER, _ALONE = _into_sums("changed")

_COUNT = text(f"""
WITH t AS MATERIALIZED ({_TICKETS}
), part (id, measure, at, hit_at, department_id, seconds) AS ({_PARTS}
), fresh AS (
    SELECT t.id AS ticket_id, part.measure, part.at, part.hit_at, part.department_id, part.seconds, {_DIMENSIONS}
    FROM part JOIN t USING (id)
), changed AS MATERIALIZED ({_changed("counted", _COLUMNS, "fresh")}
), {_replaced("counted", _COLUMNS)}, together AS ({_TOGETHER}
), unsummed AS (
    DELETE FROM handled_day WHERE day IN (SELECT {CITY_DAY} FROM changed WHERE measure = 'handled')
){_ALONE}
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))

_WAIT_COLUMNS = f"ticket_id, since, until, department_id, received_at, {_DIMENSIONS}"
_WAIT = text(f"""
WITH t AS MATERIALIZED ({_TICKETS}
), turn AS (
    SELECT e.ticket_id, e.kind, e.at AS since, lead(e.at) OVER (PARTITION BY e.ticket_id ORDER BY e.id) AS until
    FROM ticket_event e WHERE e.ticket_id = ANY(:ids) AND e.kind IN ('received', {_listed(TURNS)})
), fresh AS (
    SELECT t.id AS ticket_id, turn.since, turn.until, {_holder("t.id", "turn.since")} AS department_id, t.received_at,
           {_DIMENSIONS}
    FROM turn JOIN t ON t.id = turn.ticket_id
    WHERE turn.kind NOT IN ({_listed(STOPS)}) AND turn.until IS DISTINCT FROM turn.since
), changed AS MATERIALIZED ({_changed("waited", _WAIT_COLUMNS, "fresh")}
), {_replaced("waited", _WAIT_COLUMNS)}
SELECT count(*) FROM changed
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))

# A call may be the repetition of a ticket that was closed within the month before it.
_ALSO = text(f"""
SELECT DISTINCT earlier.id
FROM caller c JOIN ticket t ON t.id = c.ticket_id
JOIN caller before ON before.phone_index = c.phone_index AND before.ticket_id <> c.ticket_id
JOIN ticket earlier ON earlier.id = before.ticket_id
WHERE c.ticket_id = ANY(:ids) AND earlier.closed_at < t.received_at
  AND earlier.closed_at >= t.received_at - interval '{ONE_PASS_SETTLES.days} days'
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))

# Who called is gone from a ticket that retention has closed out, so what was counted of it before stands.
_FINAL = text("""
SELECT id FROM ticket WHERE id = ANY(:ids) AND anonymised_at IS NOT NULL
AND EXISTS (SELECT FROM counted WHERE counted.ticket_id = ticket.id)
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))

# Everything is looked up by ticket.  A table that has just been filled has no statistics yet, and the planner would
# read it from end to end for every batch.  And it has to see how many tickets there are: a plan kept for any number of
# them is made for ten, and costs ten times as much for two thousand.
_PLANS = text(
    "SELECT current_setting('enable_seqscan'), current_setting('plan_cache_mode'), "
    "set_config('enable_seqscan', :scans, true), set_config('plan_cache_mode', :plans, true)"
)

_TAKE = text("""
DELETE FROM uncounted WHERE id IN (SELECT id FROM uncounted ORDER BY id LIMIT :limit) RETURNING ticket_id
""")


def lock(session: Session) -> None:
    """Wait until nobody else is counting, and keep others from it until the transaction ends."""
    session.execute(_LOCK)


def take_uncounted(session: Session, limit: int) -> Sequence[int]:
    """Take up to ``limit`` notes of tickets that have moved, and return the tickets' ids, each once."""
    return sorted(set(session.scalars(_TAKE, {"limit": limit})))


def count_tickets(session: Session, ids: Sequence[int], *, also_earlier: bool = True) -> int:
    """Count the tickets anew; return how many that were.

    ``also_earlier`` counts earlier tickets of the same callers too, which a new call may have made repeated ones.
    """
    chosen = set(ids)
    if also_earlier:
        chosen |= set(session.scalars(_ALSO, {"ids": list(ids)}))
    chosen -= set(session.scalars(_FINAL, {"ids": list(chosen)}))
    if chosen:
        given = {"ids": sorted(chosen)}
        scans, plans, *_ = session.execute(_PLANS, {"scans": "off", "plans": "force_custom_plan"}).one()
        session.execute(_COUNT, given)
        session.execute(_WAIT, given)
        session.execute(_PLANS, {"scans": scans, "plans": plans})
    return len(chosen)


def empty(session: Session) -> None:
    """Take everything away that a ticket's events still tell; what retention has closed out stays counted."""
    kept = session.scalar(text("SELECT EXISTS (SELECT FROM ticket WHERE anonymised_at IS NOT NULL)"))
    if not kept:
        session.execute(text("TRUNCATE counted, counted_day, counted_day_by, handled_day, waited"))
        return
    gone = "IN (SELECT id FROM ticket WHERE anonymised_at IS NULL)"
    session.execute(text(f"DELETE FROM counted WHERE ticket_id {gone}"))
    session.execute(text(f"DELETE FROM waited WHERE ticket_id {gone}"))
    session.execute(text("TRUNCATE counted_day, counted_day_by, handled_day"))
    for statement in _into_sums("(SELECT *, 1 AS n FROM counted) counted"):
        session.execute(text(statement))
