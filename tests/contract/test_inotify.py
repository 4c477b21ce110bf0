"""torsion.inotify: changes in the file system, told by the kernel."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.parts import REAL_REACTORS, Reports
from tests.contract.streams import ByContract, Net, net

from torsion import inotify
from torsion.contract import Reactor

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/sys/fs/inotify"), reason="inotify is Linux's")


class Notes:
    """A notifier, and what it told: (path, names of the events)."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.notifier = inotify.INotify(net.reactor)
        self.notifier.startReading()
        self.told: list[tuple[Any, str]] = []

    def note(self, watch: Any, path: Any, mask: int) -> None:
        self.told.append((path, " ".join(inotify.humanReadableMask(mask))))

    def watch(self, path: Any, **options: Any) -> int:
        return self.notifier.watch(path, callbacks=[self.note], **options)

    def until_told(self, *expected: tuple[Any, str]) -> None:
        self.net.until(lambda: set(expected) <= set(self.told))

    def end(self) -> list[tuple[Any, str]]:
        """What was told up to now."""
        self.net.turns()
        return self.told


Make = Callable[[], Notes]


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "by-contract"])
def notes(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Notes]:
    with net(request.param) as here:
        made = Notes(here)
        yield made
        made.notifier.loseConnection()


def test_what_happens_in_a_folder_is_told(notes: Notes, tmp_path: Path) -> None:
    notes.watch(str(tmp_path), mask=inotify.IN_CREATE | inotify.IN_CLOSE_WRITE | inotify.IN_DELETE | inotify.IN_MOVED)
    file, other = tmp_path / "file", tmp_path / "other"
    file.write_text("x")
    file.rename(other)
    other.unlink()
    notes.until_told((str(other), "delete"))
    assert notes.told == [
        (str(file), "create"),
        (str(file), "close_write"),
        (str(file), "moved_from"),
        (str(other), "moved_to"),
        (str(other), "delete"),
    ]


def test_paths_come_as_the_kind_that_was_given(notes: Notes, tmp_path: Path) -> None:
    for number, (kind, path) in enumerate(
        ((str, str(tmp_path / "a")), (bytes, os.fsencode(tmp_path / "b")), (type(tmp_path), tmp_path / "c"))
    ):
        os.mkdir(path)
        notes.watch(path, mask=inotify.IN_CREATE)
        name = os.path.join(os.fsencode(path), b"\xc3\xa4")
        with open(name, "wb"):
            pass
        notes.net.until(lambda number=number: len(notes.told) == number + 1)
        found = notes.told[-1][0]
        assert isinstance(found, kind)
        assert os.fsencode(found) == name


def test_twisteds_own_paths_do_as_well(notes: Notes, tmp_path: Path) -> None:
    filepath = pytest.importorskip("twisted.python.filepath")
    folder = filepath.FilePath(str(tmp_path))
    notes.watch(folder, mask=inotify.IN_CREATE)
    folder.child("file").open("w").close()
    notes.net.until(lambda: notes.told)
    assert notes.told == [(folder.asBytesMode().child(b"file"), "create")]
    notes.notifier.ignore(folder)


def test_one_file_may_be_watched_and_a_watch_is_made_once(notes: Notes, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    number = notes.watch(file, mask=inotify.IN_MODIFY)
    assert number > 0
    assert notes.watch(file, mask=inotify.IN_ACCESS) == number
    assert notes.watch(f"{file}", mask=inotify.IN_ACCESS) == number
    file.write_text("x")
    notes.until_told((file, "modify"))


def test_another_name_of_what_is_watched_changes_nothing(notes: Notes, tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    number = notes.watch(folder, mask=inotify.IN_CREATE)
    assert notes.watch(link, mask=inotify.IN_DELETE) == number
    (folder / "x").write_text("")
    (folder / "x").unlink()
    (folder / "y").write_text("")
    notes.until_told((folder / "y", "create"))
    assert notes.told == [(folder / "x", "create"), (folder / "y", "create")]
    notes.notifier.ignore(folder)


def test_an_ignored_path_is_not_told_of(notes: Notes, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    notes.watch(one)
    notes.watch(f"{two}/")
    notes.notifier.ignore(one)
    with pytest.raises(KeyError):
        notes.notifier.ignore(one)
    (one / "x").write_text("")
    (two / "x").write_text("")
    notes.until_told((f"{two}/x", "create"))
    assert all(os.fspath(path).startswith(f"{two}") for path, _ in notes.end())
    notes.watch(one, mask=inotify.IN_CREATE)  # and again
    (one / "y").write_text("")
    notes.until_told((one / "y", "create"))


def test_that_the_last_path_was_removed_is_the_end(notes: Notes, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    notes.watch(one, mask=0)
    notes.watch(two, mask=0)
    one.rmdir()
    notes.until_told((one, "delete_self"))
    assert notes.notifier.connected
    two.rmdir()
    notes.until_told((two, "delete_self"))
    assert not notes.notifier.connected
    assert notes.notifier.fileno() == -1


def test_recursive_watches_what_is_there_and_autoAdd_what_is_made(notes: Notes, tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path)
    notes.watch(tmp_path, mask=inotify.IN_CREATE, recursive=True)
    (deep / "file").write_text("")
    notes.until_told((deep / "file", "create"))
    (deep / "new").mkdir()
    notes.until_told((deep / "new", "create is_dir"))
    (deep / "new" / "file").write_text("")
    assert (deep / "new" / "file", "create") not in notes.end()


@pytest.mark.parametrize("mask", [inotify.IN_CREATE, inotify.IN_CREATE | inotify.IN_CLOSE_WRITE])
def test_autoAdd_misses_nothing_that_was_made_meanwhile(notes: Notes, tmp_path: Path, mask: int) -> None:
    notes.watch(tmp_path, mask=mask, autoAdd=True)
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)  # before any of it is watched
    (deep / "file").write_text("")
    notes.until_told(
        (tmp_path / "a", "create is_dir"),
        (tmp_path / "a" / "b", "create is_dir"),
        (deep, "create is_dir"),
        (deep / "file", "create"),
    )
    (deep / "another").write_text("")
    notes.until_told((deep / "another", "create"))


def test_autoAdd_without_being_told_of_what_is_made(notes: Notes, tmp_path: Path) -> None:
    notes.watch(tmp_path, mask=inotify.IN_CLOSE_WRITE, autoAdd=True)
    (tmp_path / "a").mkdir()
    notes.net.until(lambda: notes.notifier._isWatched(tmp_path / "a"))
    (tmp_path / "a" / "file").write_text("x")
    notes.until_told((tmp_path / "a" / "file", "close_write"))
    assert {what for _, what in notes.end()} == {"close_write"}


def test_an_error_in_a_callback_is_reported_and_stops_nothing(notes: Notes, tmp_path: Path, reports: Reports) -> None:
    def fail(watch: Any, path: Any, mask: int) -> None:
        raise LookupError("a mistake")

    notes.notifier.watch(tmp_path, mask=inotify.IN_CREATE, callbacks=[fail, notes.note])
    (tmp_path / "x").write_text("")
    notes.until_told((tmp_path / "x", "create"))
    assert "callback" in reports.take(LookupError)
    (tmp_path / "y").write_text("")
    notes.until_told((tmp_path / "y", "create"))
    reports.take(LookupError)


def test_a_callback_may_end_it_or_ignore_its_path(notes: Notes, tmp_path: Path) -> None:
    told: list[Any] = []

    def ignore(watch: Any, path: Any, mask: int) -> None:
        told.append(path)
        notes.notifier.ignore(watch.path)

    notes.notifier.watch(tmp_path, mask=inotify.IN_CREATE, callbacks=[ignore])
    for name in ("x", "y"):
        (tmp_path / name).write_text("")
    notes.net.until(lambda: told)
    notes.net.turns()
    assert told == [tmp_path / "x"]

    def end(watch: Any, path: Any, mask: int) -> None:
        told.append(path)
        notes.notifier.loseConnection()

    notes.notifier.watch(tmp_path, mask=inotify.IN_DELETE, callbacks=[end])
    for name in ("x", "y"):
        (tmp_path / name).unlink()
    notes.net.until(lambda: not notes.notifier.connected)
    assert told == [tmp_path / "x", tmp_path / "x"]


def test_what_cannot_be_watched_raises(notes: Notes, tmp_path: Path) -> None:
    with pytest.raises(inotify.INotifyError, match="'/no/such/path' cannot be watched: No such file"):
        notes.watch("/no/such/path")
    with pytest.raises(TypeError):
        notes.watch(None)
    notes.notifier.loseConnection()
    with pytest.raises(inotify.INotifyError, match="Bad file descriptor"):
        notes.watch(tmp_path)


def test_lost_events_are_reported(notes: Notes, tmp_path: Path, reports: Reports) -> None:
    notes.notifier._told(inotify._HEADER.pack(-1, inotify.IN_Q_OVERFLOW, 0, 0))
    assert reports.texts() == ["inotify told of more than was read in time: some events are lost"]
    reports.clear()


def test_masks_in_words() -> None:
    assert inotify.humanReadableMask(inotify.IN_CREATE | inotify.IN_ISDIR) == ["create", "is_dir"]
    assert inotify.humanReadableMask(inotify.IN_CLOSE) == ["close_write", "close_nowrite"]
    assert inotify.humanReadableMask(0) == []


@pytest.mark.parametrize("kind", REAL_REACTORS)
def test_on_every_reactor(kind: str, tmp_path: Path, reports: Reports) -> None:
    reactor = REAL_REACTORS[kind]()
    notifier = inotify.INotify(reactor)
    notifier.startReading()
    told: list[Any] = []

    def note(watch: Any, path: Any, mask: int) -> None:
        told.append(path)
        reactor.stop()

    notifier.watch(tmp_path, mask=inotify.IN_CREATE, callbacks=[note])
    reactor.callWhenRunning((tmp_path / "x").write_text, "")
    reactor.run(installSignalHandlers=False)
    assert told == [tmp_path / "x"]
    assert not notifier.connected  # the reactor's end is its
    reactor.close()


def test_nothing_of_it_stays(notes: Notes, tmp_path: Path, no_leaks: Any) -> None:
    def use() -> None:
        again = inotify.INotify(notes.net.reactor)
        again.startReading()
        again.watch(tmp_path, callbacks=[notes.note], autoAdd=True)
        (tmp_path / "x").write_text("")
        notes.net.until(lambda: notes.told)
        again.loseConnection()
        notes.told.clear()
        (tmp_path / "x").unlink()

    use()
    with no_leaks():
        use()
