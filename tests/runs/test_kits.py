"""Which trees have a kit, and that git checks out when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs_world import World

from orchd.adapters import kits
from orchd.adapters.git_repo import open_repo
from orchd.adapters.kit import KitFile, dump_kit, load_kit
from orchd.adapters.kits import KEPT_KITS, Kits


def write_tree(world: World, *rows: str) -> str:
    """A tree of rows `mode name`, each a file with its name in it, or a submodule."""
    lines = []
    for row in rows:
        mode, _, name = row.partition(" ")
        oid = "1" * 40 if mode == "160000" else world.git("hash-object", "-w", "--stdin", stdin=name.encode())
        lines.append(f"{mode} {'commit' if mode == '160000' else 'blob'} {oid}\t{name}\n")
    return world.git("mktree", "--missing", stdin="".join(lines).encode())


@pytest.fixture
def stock(world: World) -> Kits:
    return Kits(open_repo(world.place))


def test_a_plain_tree_has_a_kit_with_its_files(world: World, stock: Kits) -> None:
    made = stock.find(world.git("rev-parse", "HEAD^{tree}"))
    found = {file.path: file.content for file in load_kit(Path(made).read_bytes())}
    assert found == {".gitignore": b"*.ignored\n", "kept.txt": b"kept\n", "folder/deep.txt": b"deep\n"}


@pytest.mark.parametrize(
    "row", ["100644 .gitattributes", "100644 .gitmodules", "160000 module", "100644 caf\u00e9", "100644 a~1", "100644 .GITKEEP"]
)
def test_a_special_tree_has_none(world: World, stock: Kits, row: str) -> None:
    assert stock.find(write_tree(world, "100644 plain", row)) == ""
    assert stock.find(write_tree(world, "100644 plain")) != ""


@pytest.mark.parametrize(("limit", "value"), [("MOST_FILES", 2), ("MOST_KIT_BYTES", 2), ("MOST_KIT_BYTES", 5)])
def test_a_large_tree_has_none(world: World, stock: Kits, monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    monkeypatch.setattr(kits, limit, value)
    assert stock.find(write_tree(world, "100644 one", "100644 two", "100755 three")) == ""


def test_what_does_not_exist_has_none(stock: Kits) -> None:
    assert stock.find("") == stock.find("2" * 40) == ""


def test_only_the_last_kits_are_kept_also_those_of_an_earlier_process(world: World, stock: Kits) -> None:
    made = [stock.find(write_tree(world, f"100644 f{number}")) for number in range(KEPT_KITS + 2)]
    assert [Path(path).exists() for path in made] == [False] * 2 + [True] * KEPT_KITS
    again = Kits(open_repo(world.place)).find(write_tree(world, "100644 other"))
    assert list(Path(again).parent.iterdir()) == [Path(again)]


def test_a_torn_kit_is_none() -> None:
    whole = dump_kit([KitFile("a", 0o100644, "1" * 40, b"content")])
    for at in range(len(whole)):
        with pytest.raises(ValueError):
            load_kit(whole[:at])
        with pytest.raises(ValueError):
            load_kit(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-30])], ids=["gone", "torn"])
def test_without_its_kit_a_workspace_is_checked_out_by_git(
    world: World, monkeypatch: pytest.MonkeyPatch, spoil: object
) -> None:
    find = Kits.find

    def spoiled(self: Kits, tree: str) -> str:
        path = find(self, tree)
        spoil(Path(path))  # type: ignore[operator]
        return path

    monkeypatch.setattr(Kits, "find", spoiled)
    left = world.run("a.1.1", "cat kept.txt > copy; git status --short > said")
    world.take("a.1.1")
    assert (world.show(left.tip, "copy"), world.show(left.tip, "said")) == ("kept", "?? copy\n?? said")
