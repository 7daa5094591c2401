"""Attachments over the API: attached, listed and read by who may, told by content and not by what they are called."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.factories import ApiClient, receive, ticket_after

from hotline.bootstrap import Runtime
from hotline.domain.ticket import Action
from hotline.services import attachments
from hotline.settings import Settings
from hotline.storage.engine import transaction

Api = Callable[[str], ApiClient]
PDF = b"%PDF-1.7\n%\xe2\xe3\n1 0 obj <<>> endobj"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a folder for files."""
    return settings.model_copy(update={"attachments_folder": tmp_path / "attachments"})


@pytest.fixture
def path(parts: Runtime) -> str:
    """Where the attachments of a ticket lie that its department has signed."""
    with transaction(parts.sessions) as session:
        return f"/api/v1/tickets/{ticket_after(session, parts.context, Action.SIGN).number}/attachments"


def test_a_file_is_attached_listed_and_read(api: Api, path: str) -> None:
    handler = api("cgj-handler")
    made = handler.post_raw(path, PDF, **{"Content-Type": "image/png"})
    assert made.status_code == 201, made.get_data(as_text=True)
    assert (made.json["media"], made.json["size"], made.json["role"]) == ("application/pdf", len(PDF), "handler")
    assert made.json["at"].endswith("+08:00")
    assert handler.get(path).json == {"attachments": [made.json]}
    read = api("agent01").get(made.json["href"])
    assert (read.status_code, read.data, read.content_type) == (200, PDF, "application/pdf")
    assert read.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in read.headers["Content-Security-Policy"]


def test_what_is_no_picture_document_or_recording_is_refused(api: Api, path: str) -> None:
    handler = api("cgj-handler")
    for body in (b"", b"<svg onload=alert(1)>", b"MZ\x90\x00"):
        refused = handler.post_raw(path, body, **{"Content-Type": "image/png"})
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "file")
    assert handler.post_raw(path, PDF + bytes(attachments.LONGEST)).status_code == 413
    assert handler.get(path).json == {"attachments": []}


def test_who_may_not_see_the_ticket_finds_nothing(api: Api, path: str) -> None:
    href = api("cgj-handler").post_raw(path, PDF).json["href"]
    stranger = api("swj-handler")
    for answer in (stranger.get(path), stranger.post_raw(path, PDF), stranger.get(href)):
        assert answer.status_code == 404
    assert api("agent01").get(f"{path}/999999").status_code == 404


def test_nothing_is_attached_to_a_ticket_that_is_over(api: Api, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        number = receive(session, parts.context, disposition="answered", answer="好的").number
    over = api("agent01").post_raw(f"/api/v1/tickets/{number}/attachments", PDF)
    assert (over.status_code, over.content_type) == (409, "application/problem+json")
