"""Attachments come back from an archive byte for byte, and nothing else does."""

import stat
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from hotline.storage.file_archive import ArchiveError, read_archive, write_archive
from hotline.storage.files import FileStore

CONTENTS = (b"a picture", b"a recording" * 1000, b"")


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "kept")


def put_all(store: FileStore) -> list[str]:
    return [store.put(content) for content in CONTENTS]


def archive_of(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, BytesIO(content))
    return path


def test_what_was_written_comes_back(store: FileStore, tmp_path: Path) -> None:
    digests, path = put_all(store), tmp_path / "city.dump.attachments.tar"
    written = write_archive(store, digests, path)
    assert (written.files, written.size, written.missing) == (3, sum(map(len, CONTENTS)), 0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other = FileStore(tmp_path / "other")
    for _ in range(2):
        assert read_archive(other, path).files == 3
    assert [other.read(digest) for digest in digests] == list(CONTENTS)


def test_a_file_that_is_gone_is_counted_and_the_others_are_kept(store: FileStore, tmp_path: Path) -> None:
    digests, path = put_all(store), tmp_path / "a.tar"
    store.remove(digests[0])
    written = write_archive(store, digests, path)
    assert (written.files, written.missing) == (2, 1)
    assert read_archive(FileStore(tmp_path / "other"), path).files == 2


def test_no_archive_is_overwritten(store: FileStore, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_text("somebody's")
    with pytest.raises(ArchiveError, match="cannot write"):
        write_archive(store, put_all(store), path)
    assert path.read_text() == "somebody's"
    assert sorted(child.name for child in tmp_path.iterdir()) == ["a.tar", "kept"]


def test_hostile_archives_put_nothing_anywhere(store: FileStore, tmp_path: Path) -> None:
    link = tarfile.TarInfo(FileStore.digest_of(b""))
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hostile = {
        "above": (tarfile.TarInfo("../../escaped"), b"content"),
        "absolute": (tarfile.TarInfo(str(tmp_path / "escaped")), b"content"),
        "another name": (tarfile.TarInfo("0" * 64), b"content"),
        "a link": (link, b""),
    }
    for name, member in hostile.items():
        with pytest.raises(ArchiveError, match="damaged or no backup's"):
            read_archive(store, archive_of(tmp_path / f"{name}.tar", member))
    assert not (tmp_path / "escaped").exists()
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("left", [0.03, 0.3, 0.5])
def test_an_archive_that_is_cut_off_says_so(store: FileStore, tmp_path: Path, left: float) -> None:
    path = tmp_path / "a.tar"
    write_archive(store, put_all(store), path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * left)])
    with pytest.raises(ArchiveError):
        read_archive(FileStore(tmp_path / "other"), path)


def test_text_is_no_archive(store: FileStore, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_text("no archive at all")
    with pytest.raises(ArchiveError, match="damaged or no archive"):
        read_archive(store, path)
