"""Files: what may not be read is not, what is written is whole or not there."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from pqdc import files
from pqdc.errors import FileError
from pqdc.files import OutputFile, merge_files, read_file, write_files

PUBLIC, SECRET = OutputFile(name="a", data=b"public"), OutputFile(name="b", data=b"secret", secret=True)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def make_empty(path: Path) -> str:
    path.touch()
    return "the file is empty"


def make_folder(path: Path) -> str:
    path.mkdir()
    return "a file wanted, this is a folder"


def make_pipe(path: Path) -> str:
    os.mkfifo(path)
    return "a regular file wanted"


def make_zeros(path: Path) -> str:
    path.symlink_to("/dev/zero")
    return "a regular file wanted"


def make_nothing(path: Path) -> str:
    return "no such file or directory"


def make_loop(path: Path) -> str:
    path.symlink_to(path)
    return "too many levels of symbolic links"


def make_huge(path: Path) -> str:
    with path.open("wb") as file:
        file.truncate(2**30)
    return "at most 67,108,864 bytes wanted, this has 1,073,741,824"


@pytest.mark.parametrize(
    "make",
    [make_empty, make_folder, make_pipe, make_zeros, make_nothing, make_loop, make_huge],
    ids=lambda make: make.__name__,
)
def test_what_cannot_be_read_is_said(tmp_path, make):
    path = tmp_path / "file"
    message = make(path)
    with pytest.raises(FileError, match=message) as caught:
        read_file(path)
    assert str(path) in str(caught.value)


def test_a_huge_file_is_not_opened(tmp_path, monkeypatch):
    make_huge(tmp_path / "huge")
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(FileError, match="at most"):
        read_file(tmp_path / "huge")


def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("the superuser may read everything")
    with pytest.raises(FileError, match="permission denied"):
        read_file(path)


def test_a_file_that_grows_while_it_is_read_is_refused():
    """Files of the system say that they have no bytes."""
    with pytest.raises(FileError, match="at most 10 bytes wanted"):
        read_file(Path("/proc/self/status"), at_most=10)
    assert read_file(Path("/proc/self/status"))


def test_a_name_with_nul():
    with pytest.raises(FileError, match="is no name of a file"):
        read_file(Path("a\0b"))
    with pytest.raises(FileError, match="is no name of a folder"):
        write_files(Path("a\0b"), [PUBLIC])


def test_files_are_written_and_secrets_are_for_nobody_else(tmp_path):
    folder = tmp_path / "new" / "folder"
    assert write_files(folder, [PUBLIC, SECRET]) == [folder / "a", folder / "b"]
    assert names(folder) == ["a", "b"]
    assert (folder / "b").read_bytes() == b"secret"
    assert stat.S_IMODE((folder / "b").stat().st_mode) == 0o600


def test_nothing_is_overwritten_unasked_and_nothing_half_written(tmp_path):
    (tmp_path / "b").write_bytes(b"old")
    with pytest.raises(FileError, match="b exists already"):
        write_files(tmp_path, [PUBLIC, SECRET])
    assert names(tmp_path) == ["b"]
    assert (tmp_path / "b").read_bytes() == b"old"


def test_force_overwrites_and_tightens(tmp_path):
    (tmp_path / "b").write_bytes(b"old")
    (tmp_path / "b").chmod(0o644)
    write_files(tmp_path, [SECRET], force=True)
    assert (tmp_path / "b").read_bytes() == b"secret"
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600


def test_what_is_there_already_may_stay(tmp_path):
    write_files(tmp_path, [PUBLIC, SECRET])
    before = (tmp_path / "a").stat().st_mtime_ns
    assert len(write_files(tmp_path, [PUBLIC, SECRET])) == 2
    assert (tmp_path / "a").stat().st_mtime_ns == before
    (tmp_path / "b").chmod(0o644)
    with pytest.raises(FileError, match="b exists already"):
        write_files(tmp_path, [PUBLIC, SECRET])


def test_an_input_is_never_overwritten(tmp_path):
    (tmp_path / "a").write_bytes(b"the user's own")
    with pytest.raises(FileError, match="was given as input"):
        write_files(tmp_path, [PUBLIC], force=True, inputs=[tmp_path / "." / "a"])
    assert (tmp_path / "a").read_bytes() == b"the user's own"


def test_a_dangling_link_in_the_way(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileError, match="a exists already"):
        write_files(tmp_path, [PUBLIC])
    write_files(tmp_path, [PUBLIC], force=True)
    assert names(tmp_path) == ["a"]
    assert not (tmp_path / "a").is_symlink()


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "folder").touch()
    with pytest.raises(FileError, match=r"file exists|not a directory"):
        write_files(tmp_path / "folder", [PUBLIC])


def test_a_failure_in_the_middle_leaves_nothing(tmp_path, monkeypatch):
    link = os.link

    def refuse_second(source, target):
        if Path(target).name == "b":
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        link(source, target)

    monkeypatch.setattr(files.os, "link", refuse_second)
    with pytest.raises(FileError, match="no space left on device"):
        write_files(tmp_path, [PUBLIC, SECRET])
    assert names(tmp_path) == []


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(files.os, "link", refuse)
    write_files(tmp_path, [PUBLIC, SECRET])
    assert names(tmp_path) == ["a", "b"]


def test_one_name_is_one_file():
    assert merge_files([PUBLIC, PUBLIC, SECRET]) == [PUBLIC, SECRET]
    hidden = OutputFile(name="a", data=b"public", secret=True)
    assert merge_files([PUBLIC, hidden]) == merge_files([hidden, PUBLIC]) == [hidden]
    with pytest.raises(FileError, match="two files would be called a, and differ"):
        merge_files([PUBLIC, OutputFile(name="a", data=b"other")])
