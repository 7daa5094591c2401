"""The judge of accessibility: axe-core, from the npm registry, run in the page."""

import os
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page

AXE = Path(sys.prefix) / "share" / "hotline-tests" / "axe.min.js"


def violations(page: Page) -> list[str]:
    """Return what axe finds wrong on the page as it stands: the rule, and where."""
    if not AXE.exists():
        message = "no axe-core: run `make test`, which fetches it"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(result => result.violations)")
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]
