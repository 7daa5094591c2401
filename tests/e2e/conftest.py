"""A real browser on a real installation."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from tests.drills.stack import Stack, open_stack

from hotline.demo.city import DEMO_PASSWORD

ROOT = Path(__file__).resolve().parents[2]

# The first two let Chromium run as root in a container; the others keep it from calling home, which a test never needs.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def chromium() -> str | None:
    """Return the browser that ``make test`` found, CHROMIUM names or the system has."""
    stamp = ROOT / ".venv" / ".stamps" / "browser"
    noted = stamp.read_text(encoding="utf-8").strip() if stamp.exists() else None
    candidates = (os.environ.get("CHROMIUM"), noted, shutil.which("chromium"), shutil.which("google-chrome"))
    return next((path for path in candidates if path and Path(path).exists()), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window; one per module, since an idle one holds memory that all other tests need."""
    path = chromium()
    if path is None:
        message = "no Chromium: run `make test`, or name one with CHROMIUM=/path/to/chromium"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


# A machine on which everybody tests at once is slow; a page that never shows what is expected fails all the same.
expect.set_options(timeout=20_000)

# An answer of 4xx is logged as a resource that failed to load, by the browser and by htmx, and so is a server that is
# away or a page that is left; some tests ask for these.
EXPECTED = (
    "Failed to load resource",
    "Response Status Error Code",
    "htmx:sendError",
    "htmx:sendAbort",
    "htmx:afterRequest",
)


@dataclass
class Installation:
    """A running Hotline and its address."""

    stack: Stack
    url: str


@pytest.fixture(scope="module")
def hotline() -> Iterator[Installation]:
    """PostgreSQL, Redis, web, worker and beat, as they ship."""
    with open_stack() as stack:
        web = stack.start_web()
        stack.start_worker()
        stack.start_beat()
        yield Installation(stack, f"http://127.0.0.1:{web.port}")


@pytest.fixture
def sign_in(browser: Browser, hotline: Installation) -> Iterator[Callable[[str], Page]]:
    """Open a browser of one's own and sign in; a page that breaks a script or the content policy fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(EXPECTED):
            complaints.append(message.text)

    def open_page(username: str) -> Page:
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN", base_url=hotline.url)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/login")
        page.get_by_label("用户名").fill(username)
        page.get_by_label("密码").fill(DEMO_PASSWORD)
        page.get_by_role("button", name="登录").click()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == [], json.dumps(complaints, ensure_ascii=False)
