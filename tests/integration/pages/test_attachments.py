"""Attachments: told by content, without what a camera wrote, served as files only, seen by who sees the ticket."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select
from tests.factories import actor_named, ticket_after
from tests.integration.browser import Browser
from tests.integration.pages.test_steps import browser_of
from werkzeug.test import TestResponse

from hotline.bootstrap import Runtime
from hotline.domain.people import SYSTEM
from hotline.domain.ticket import Action
from hotline.services import attachments, retention
from hotline.services.errors import InvalidInput
from hotline.settings import Settings
from hotline.storage.engine import transaction
from hotline.storage.files import FileStore
from hotline.storage.tables import Attachment, Ticket

PDF = b"%PDF-1.7\n%\xe2\xe3\n1 0 obj <<>> endobj"
ORIENTATION, GPS, MAKE = 0x0112, 0x8825, 0x010F


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a folder for files."""
    return settings.model_copy(update={"attachments_folder": tmp_path / "attachments"})


def photograph() -> bytes:
    """A picture as a phone takes it: lying on its side, with place and make."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE] = 6, "Spyphone"
    exif.get_ifd(GPS).update({1: "N", 2: (31.0, 13.0, 48.0), 3: "E", 4: (121.0, 28.0, 12.0)})
    written = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(written, "JPEG", exif=exif)
    assert b"Spyphone" in written.getvalue()
    return written.getvalue()


def made(parts: Runtime, last: Action | None = Action.SIGN, **given: object) -> str:
    with transaction(parts.sessions) as session:
        return ticket_after(session, parts.context, last, **given).number


def upload(browser: Browser, number: str, *contents: bytes) -> TestResponse:
    files = [(io.BytesIO(content), f"王小明的投诉{at}.exe") for at, content in enumerate(contents)]
    fields = {"csrf_token": browser.token("/account"), "file": files}
    return browser.client.post(f"/tickets/{number}/attachments", data=fields, content_type="multipart/form-data")


def ids(parts: Runtime) -> list[int]:
    with transaction(parts.sessions) as session:
        return list(session.scalars(select(Attachment.id).order_by(Attachment.id)))


def test_a_photograph_is_kept_without_place_and_make_and_upright(app: Flask, parts: Runtime) -> None:
    number, handler = made(parts), browser_of(app, "cgj-handler")
    assert upload(handler, number, photograph()).location == f"/tickets/{number}#attachments"
    page = handler.text(f"/tickets/{number}")
    assert "已添加 1 个附件" in page
    assert "王小明" not in page
    (attachment_id,) = ids(parts)
    served = handler.get(f"/tickets/{number}/attachments/{attachment_id}")
    assert (served.status_code, served.content_type) == (200, "image/jpeg")
    with Image.open(io.BytesIO(served.data)) as picture:
        assert picture.size == (20, 40)
        assert dict(picture.getexif()) == {}
    assert b"Spyphone" not in served.data


def test_a_document_is_saved_and_can_do_nothing_in_the_browser(app: Flask, parts: Runtime) -> None:
    number, handler = made(parts), browser_of(app, "cgj-handler")
    upload(handler, number, PDF)
    served = handler.get(f"/tickets/{number}/attachments/{ids(parts)[0]}")
    assert served.data == PDF
    assert served.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "sandbox" in served.headers["Content-Security-Policy"]
    assert served.headers["X-Content-Type-Options"] == "nosniff"


def test_what_is_not_taken_says_why_and_the_rest_is(app: Flask, parts: Runtime) -> None:
    number, handler = made(parts), browser_of(app, "cgj-handler")
    script, broken = b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n broken"
    page = handler.text(upload(handler, number, script, PDF, broken).location.split("#")[0])
    assert "已添加 1 个附件" in page
    assert "第 1 个文件：只能添加" in page
    assert "第 3 个文件：图片无法读取" in page
    assert len(ids(parts)) == 1
    with pytest.raises(InvalidInput, match="larger than 10 MB"), transaction(parts.sessions) as session:
        large = PDF + b"0" * attachments.LONGEST
        attachments.attach(session, parts.context, number, large, actor_named(session, "cgj-handler"))
    with pytest.raises(InvalidInput, match="at most"), transaction(parts.sessions) as session:
        for at in range(attachments.MOST):
            context, actor = parts.context, actor_named(session, "cgj-handler")
            attachments.attach(session, context, number, PDF + bytes([at]), actor)


def test_only_who_sees_the_ticket_sees_its_files(app: Flask, parts: Runtime) -> None:
    number, agent = made(parts), browser_of(app, "agent01")
    upload(agent, number, PDF)
    address = f"/tickets/{number}/attachments/{ids(parts)[0]}"
    people = ("cgj-handler", "gdgs-handler", "zjj-handler")
    seen = {who: browser_of(app, who).get(address).status_code for who in people}
    assert seen == {"cgj-handler": 200, "gdgs-handler": 200, "zjj-handler": 404}
    # The number of one ticket does not open another's files.
    assert agent.get(f"/tickets/{made(parts)}/attachments/{ids(parts)[0]}").status_code == 404
    assert Browser.of(app).get(address).status_code == 302


def test_a_whistle_blowers_pictures_are_not_shown_to_departments(app: Flask, parts: Runtime) -> None:
    number = made(parts, confidential=True)
    upload(browser_of(app, "agent01"), number, photograph())
    handler = browser_of(app, "cgj-handler")
    upload(handler, number, PDF)
    first, second = ids(parts)
    assert handler.get(f"/tickets/{number}/attachments/{first}").status_code == 404
    assert handler.get(f"/tickets/{number}/attachments/{second}").status_code == 200
    assert f"attachments/{first}" not in handler.text(f"/tickets/{number}")


def test_retention_removes_rows_and_files_that_no_other_ticket_has(app: Flask, parts: Runtime, tmp_path: Path) -> None:
    old, other, agent = made(parts, None), made(parts), browser_of(app, "agent01")
    upload(agent, old, PDF, PDF + b"alone")
    upload(agent, other, PDF)
    agent.send(f"/tickets/{old}/withdraw", {"reason": "诉求人撤回"}, form_on=f"/tickets/{old}")
    lying = [path for path in (tmp_path / "attachments").rglob("*") if path.is_file()]
    assert len(lying) == 2
    later = parts.context.now().replace(year=parts.context.now().year + 5)
    context = replace(parts.context, now=lambda: later)
    with transaction(parts.sessions) as session:
        assert retention.close_out(session, context, SYSTEM, later).tickets == 1
        assert all(path.exists() for path in lying), "files go with the commit"
    with transaction(parts.sessions) as session:
        (left,) = session.execute(
            select(Ticket.number, Attachment.digest).join(Attachment, Attachment.ticket_id == Ticket.id)
        )
    assert left.number == other
    assert sum(path.exists() for path in lying) == 1
    assert FileStore(tmp_path / "attachments").read(left.digest) == PDF


def test_without_a_folder_there_is_no_form(standing_app: Flask, standing_parts: Runtime) -> None:
    number, handler = made(standing_parts), browser_of(standing_app, "cgj-handler")
    assert "attach-file" not in handler.text(f"/tickets/{number}")
    upload(handler, number, PDF)
    assert "系统未启用附件" in handler.text(f"/tickets/{number}")
