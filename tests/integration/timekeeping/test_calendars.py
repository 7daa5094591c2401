"""A year's notice is imported: provisional dues become real ones, closed results stay, no process is restarted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs
from tests.factories import at, ticket_after
from tests.integration.timekeeping.city import LATE_DECEMBER, NOTICE_2027, run, run_waiting, written

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.domain.ticket import Action, ComplaintType
from hotline.jobs.doorbell import SilentDoorbell
from hotline.reference.calendars import load_calendar
from hotline.services.timekeeping import TimekeepingSource, calendar_versioned
from hotline.storage.engine import transaction
from hotline.storage.tables import AuditEntry, CalendarEdition, CalendarWarning, Ticket, TicketEvent

DAY = timedelta(days=1)


def dispatched(parts: Runtime, last: Action = Action.DISPATCH) -> str:
    """Return the number of a ticket of late December after ``last``."""
    with transaction(parts.sessions) as session:
        return ticket_after(session, at(parts.context, LATE_DECEMBER), last, type=ComplaintType.HELP).number


def read(parts: Runtime, number: str) -> Ticket:
    with parts.sessions() as session:
        return session.scalars(select(Ticket).where(Ticket.number == number)).one()


def imported(parts: Runtime, folder: Path, notice: object = NOTICE_2027) -> None:
    """Import a notice, and let this process take it up as if its seconds had passed."""
    done = run(parts, "calendar", "import", written(folder, notice), "--yes")
    assert done.exit_code == 0, done.output
    parts.timekeeping.refresh()


def test_a_due_in_a_year_without_notice_is_provisional_and_warned_of_once(parts: Runtime) -> None:
    with capture_logs() as lines:
        numbers = [dispatched(parts) for _ in range(3)]
    ticket = read(parts, numbers[0])
    assert ticket.due_basis is not None and ticket.due_basis["provisional"] is True
    assert [line["year"] for line in lines if line["event"] == "calendar_provisional"] == [2027]
    with parts.sessions() as session:
        assert session.scalars(select(CalendarWarning.year)).all() == [2027]


def test_the_dry_run_says_what_would_change_and_changes_nothing(parts: Runtime, tmp_path: Path) -> None:
    number = dispatched(parts)
    before = read(parts, number).handle_due
    shown = run(parts, "calendar", "import", written(tmp_path, NOTICE_2027), "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "2027: published now" in shown.output
    assert "2027-01-04 Mon  08:30–12:00 13:30–17:30 → off" in shown.output
    assert "2027-01-09 Sat  off → 08:30–12:00 13:30–17:30" in shown.output
    # 1 January is a Friday and 4 January a Monday off, 9 January is made up: one working day later.
    assert f"{number}  handle_due    2027-01-11 17:30 → 2027-01-12 17:30" in shown.output
    assert read(parts, number).handle_due == before
    with parts.sessions() as session:
        assert session.scalars(select(CalendarEdition)).all() == []


def test_after_the_import_open_dues_follow_and_settled_results_stay(parts: Runtime, tmp_path: Path) -> None:
    open_one, done = dispatched(parts), dispatched(parts, Action.APPROVE)
    settled = read(parts, done)
    imported(parts, tmp_path)
    assert set(run_waiting(parts, "recompute")) == {"done"}
    moved = read(parts, open_one)
    assert moved.handle_due == datetime(2027, 1, 12, 9, 30, tzinfo=UTC)
    assert moved.next_due == moved.handle_due
    assert moved.due_basis is not None and moved.due_basis["provisional"] is False
    after = read(parts, done)
    assert (after.handle_due, after.due_basis) == (settled.handle_due, settled.due_basis)
    with parts.sessions() as session:
        events = session.scalars(select(TicketEvent).where(TicketEvent.kind == "dues_recomputed")).all()
        told = [
            event for event in events if event.reason == "calendar_imported" and "handle_due" in event.data["moved"]
        ]
        assert [event.ticket_id for event in told] == [moved.id]
        assert told[0].data["moved"]["handle_due"][0] == told[0].data["before"]["handle_due"]
        assert session.scalars(select(AuditEntry.action)).all().count("calendar.imported") == 1


def test_recomputing_twice_changes_and_says_nothing_more(parts: Runtime, tmp_path: Path) -> None:
    dispatched(parts)
    imported(parts, tmp_path)
    run_waiting(parts, "recompute")
    with transaction(parts.sessions) as session:
        before = len(session.scalars(select(TicketEvent.id)).all())
        bootstrap.queue.enqueue(session, bootstrap.RECOMPUTE, {"after_id": 0, "reason": "calendar_imported"})
    run_waiting(parts, "recompute")
    with parts.sessions() as session:
        assert len(session.scalars(select(TicketEvent.id)).all()) == before


def test_running_processes_take_an_edition_up_without_a_restart(parts: Runtime, tmp_path: Path) -> None:
    other = bootstrap.start(parts.settings, doorbell=SilentDoorbell())
    source = TimekeepingSource(other.sessions, check_every_seconds=0)
    context = replace(other.context, timekeeping=source.current)
    assert 2027 not in (context.calendar.published_years or ())
    imported(parts, tmp_path)
    assert 2027 in (context.calendar.published_years or ())
    assert not context.calendar.works_on(datetime(2027, 1, 4).date())  # noqa: DTZ001 - a day, not an instant
    other.close()


def test_between_two_looks_a_process_does_not_ask_again(parts: Runtime) -> None:
    source = TimekeepingSource(parts.sessions, check_every_seconds=3600)
    assert source.current() is source.current()
    first = source.current()
    source.refresh()
    assert source.current() is first


def test_a_later_edition_of_a_year_wins_and_the_older_one_can_still_be_named(parts: Runtime, tmp_path: Path) -> None:
    imported(parts, tmp_path)
    first = parts.context.calendar
    imported(parts, tmp_path, {**NOTICE_2027, "makeup_days": []})
    second = parts.context.calendar
    made_up = datetime(2027, 1, 9).date()  # noqa: DTZ001 - a day, not an instant
    assert (first.works_on(made_up), second.works_on(made_up)) == (True, False)
    assert first.version != second.version
    with parts.sessions() as session:
        assert calendar_versioned(session, first.version) == first
        assert calendar_versioned(session, second.version) == second
        assert calendar_versioned(session, load_calendar("cn").version) == load_calendar("cn")
        assert calendar_versioned(session, "1999-01-01") is None


def test_hours_of_the_week_can_be_imported_too(parts: Runtime, tmp_path: Path) -> None:
    hours = {day: [["09:00", "12:00"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    imported(parts, tmp_path, {"windows": hours})
    monday = datetime(2026, 12, 28).date()  # noqa: DTZ001 - a day, not an instant
    assert parts.context.calendar.windows_on(monday) == ((9 * 3600, 12 * 3600), (13 * 3600, 17 * 3600))
    assert parts.context.calendar.published_years == load_calendar("cn").published_years


def test_what_is_exported_can_be_imported_and_says_nothing_new(parts: Runtime, tmp_path: Path) -> None:
    imported(parts, tmp_path)
    exported = run(parts, "calendar", "export")
    path = tmp_path / "all.yaml"
    path.write_text(exported.output, encoding="utf-8")
    again = run(parts, "calendar", "import", path, "--yes")
    assert (again.exit_code, "nothing would change" in again.output) == (1, True)
    listed = run(parts, "calendar", "list")
    assert "2027  测试用通知，2026-11-20  (imported" in listed.output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "no object"),
        ({}, "neither a year's notice nor hours"),
        ({"year": "soon", "holidays": [], "makeup_days": []}, "not a year"),
        ({"year": 2027, "holidays": []}, "lacks 'makeup_days'"),
        ({"year": 2027, "holidays": [], "makeup_days": [], "holliday": []}, "unknown key"),
        ({"year": 2027, "holidays": [{"from": "2027-01-03", "to": "2027-01-01"}], "makeup_days": []}, "cannot be"),
        ({"year": 2027, "holidays": [{"from": "2029-01-01", "to": "2029-01-02"}], "makeup_days": []}, "not near"),
        ({"year": 2027, "holidays": [{"from": "tomorrow", "to": "2027-01-01"}], "makeup_days": []}, "not a date"),
        ({"years": {}, "feiertage": []}, "unknown key"),
        ({"windows": {"mon": [["12:00", "08:30"]]}}, "ends before it begins"),
        (
            {"year": 2027, "holidays": [{"from": "2027-01-09", "to": "2027-01-09"}], "makeup_days": ["2027-01-09"]},
            "both a holiday and a make-up",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_says_why(
    parts: Runtime, tmp_path: Path, content: object, said: str
) -> None:
    refused = run(parts, "calendar", "import", written(tmp_path, content), "--yes")
    assert (refused.exit_code, said in refused.output) == (1, True), refused.output
    with parts.sessions() as session:
        assert session.scalars(select(CalendarEdition)).all() == []
