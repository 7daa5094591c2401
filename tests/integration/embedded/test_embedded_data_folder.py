"""The data folder: one Hotline at a time, private, and clear about what stands in its way."""

import json
import os
import stat
from pathlib import Path

import pytest
from tests.integration.embedded.helpers import Scripts

from hotline.embedded import DataFolder, EmbeddedError
from hotline.embedded.privileges import Identity, service_identity

OPEN = """
import sys
from hotline.embedded import DataFolder, EmbeddedError
try:
    DataFolder.open(sys.argv[1]).close()
    print("opened")
except EmbeddedError as error:
    print(error)
"""


def test_folder_and_secrets_are_private_and_lasting(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    with DataFolder.open(data) as folder:
        first = folder.secret("web_secret_key")
        assert folder.secret("web_secret_key") == first
        assert folder.secret("another") != first
    with DataFolder.open(data) as folder:
        assert folder.secret("web_secret_key") == first
    assert stat.S_IMODE(data.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
    for private in ("secrets.json", "lock"):
        assert stat.S_IMODE((data / private).stat().st_mode) == 0o600
    for private in ("log", "run", "sock"):
        assert stat.S_IMODE((data / private).stat().st_mode) == 0o700


def test_broken_secrets_are_not_replaced(tmp_path: Path) -> None:
    with DataFolder.open(tmp_path / "data") as folder:
        (folder.path / "secrets.json").write_text('{"half": ')
        with pytest.raises(EmbeddedError, match="restore it from a backup"):
            folder.secret("half")


def test_second_hotline_is_refused_with_the_first_ones_pid(tmp_path: Path, scripts: Scripts) -> None:
    with DataFolder.open(tmp_path / "data"):
        answer = scripts.run(OPEN, tmp_path / "data")
        assert f"in use by a running Hotline (pid {os.getpid()})" in answer
        assert "DATA=" in answer
    assert scripts.run(OPEN, tmp_path / "data") == "opened\n"


def test_lock_of_a_killed_hotline_does_not_last(tmp_path: Path, scripts: Scripts) -> None:
    held = scripts.start(
        "import sys, time\nfrom hotline.embedded import DataFolder\n"
        "folder = DataFolder.open(sys.argv[1])\nprint('locked', flush=True)\ntime.sleep(60)",
        tmp_path / "data",
    )
    assert held.stdout is not None
    assert held.stdout.readline() == "locked\n"
    held.kill()
    held.wait()
    DataFolder.open(tmp_path / "data").close()


def test_foreign_owned_folder_is_refused(tmp_path: Path, scripts: Scripts, nobody: Identity) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, nobody.uid, nobody.gid)
    with pytest.raises(EmbeddedError, match=f"belongs to another user .uid {nobody.uid}, you are uid 0.*DATA="):
        DataFolder.open(theirs)
    with DataFolder.open(tmp_path / "ours"):
        pass
    assert "belongs to another user (uid 0" in scripts.run(OPEN, tmp_path / "ours", identity=nobody)


def test_roots_folder_is_refused_to_an_ordinary_user(scripts: Scripts) -> None:
    answer = scripts.run(OPEN, "/", identity=service_identity())
    assert "/ belongs to another user (uid 0" in answer
    assert "DATA=" in answer


def test_unwritable_places_are_refused(tmp_path: Path, scripts: Scripts) -> None:
    # Root may write anywhere, so it asks as the user nobody.
    identity = service_identity()
    closed = tmp_path / "closed"
    closed.mkdir()
    if identity:
        os.chown(closed, identity.uid, identity.gid)
    closed.chmod(0o500)
    answer = scripts.run(OPEN, closed, identity=identity)
    assert "is not writable" in answer
    assert "DATA=" in answer
    answer = scripts.run(OPEN, closed / "data", identity=identity)
    assert "cannot create the data folder" in answer
    assert "DATA=" in answer


def test_file_and_folder_with_other_files_are_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(EmbeddedError, match="is a file"):
        DataFolder.open(tmp_path / "file")
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    (home / "letter.txt").write_text("mine")
    with pytest.raises(EmbeddedError, match=r"holds other files \(letter.txt"):
        DataFolder.open(home)
    assert [entry.name for entry in home.iterdir()] == ["letter.txt"]
    assert stat.S_IMODE(home.stat().st_mode) == 0o755


def test_mount_point_and_checked_in_folder_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "data" / "lost+found").mkdir(parents=True)
    (tmp_path / "data" / ".gitkeep").touch()
    with DataFolder.open(tmp_path / "data") as folder:
        folder.secret("anything")
        assert json.loads((folder.path / "secrets.json").read_text())


@pytest.mark.parametrize("name", ["d" * 120, "带空格 的,路径:%41"], ids=["long", "unusual"])
def test_sockets_move_where_their_path_is_short_and_plain(tmp_path: Path, name: str) -> None:
    with DataFolder.open(tmp_path / name) as folder:
        sockets = folder.socket_dir
        assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 107
        assert not sockets.is_relative_to(folder.path)
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert not sockets.parent.exists()


def test_somebody_elses_socket_folder_is_refused(tmp_path: Path) -> None:
    with DataFolder.open(tmp_path / ("d" * 120)) as folder:
        base = folder.socket_dir.parent
    base.symlink_to(tmp_path)
    try:
        with pytest.raises(EmbeddedError, match="is not a private folder of yours"):
            DataFolder.open(tmp_path / ("d" * 120))
    finally:
        base.unlink()
