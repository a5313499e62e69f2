"""What was promoted where: the chains `refs/orch/env/<environment>`, read through git processes.

Rule: standard library only and nothing here writes, because light clients import it.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchd.adapters.codec import decode
from orchd.adapters.git_run import Git
from orchd.adapters.place import Place
from orchd.adapters.records import load_record
from orchd.model.ids import CHECKPOINTS_PREFIX, ENVIRONMENTS_PREFIX, TALLIES_REF, Oid, environment_ref
from orchd.model.promotion import Chain, Freight, Record
from orchd.model.save import Tally

KIND, TALLIES = "promotion", "tallies"
ROOT = "environment"
"""Begins the message of the first commit of a chain, which is no record: so no record has a commit of main as its first
parent."""
LOG, TAG = "log", "tag"
"""In the tree of a record's commit: the end of what was printed, and the content of the freight's tag object."""

_FORMAT = "%H%x00%B%x01"


def read_chain(place: Place, environment: str) -> Chain:
    """The records of an environment; none when nothing was ever promoted there. Raises OrchdError for a damaged one."""
    return _read(Git(place.git_dir), environment_ref(environment))


def read_chains(place: Place) -> Mapping[str, Chain]:
    """All environments that have records, configured or not."""
    git = Git(place.git_dir)
    names = git.run("for-each-ref", "--format=%(refname)", ENVIRONMENTS_PREFIX).decode().split()
    return {name.removeprefix(ENVIRONMENTS_PREFIX): _read(git, name) for name in names}


def read_end(place: Place, commit: Oid) -> str:
    """The end of what was printed until a record was made."""
    return Git(place.git_dir).attempt("cat-file", "blob", f"{commit}:{LOG}").stdout.decode(errors="replace")


def read_tallies(place: Place) -> Mapping[str, Tally]:
    """What became of the gates of promotions so far."""
    done = Git(place.git_dir).attempt("cat-file", "blob", TALLIES_REF)
    return {} if done.returncode else parse_tallies(done.stdout)


def parse_tallies(record: bytes) -> Mapping[str, Tally]:
    """The tallies by gate. Raises OrchdError for a damaged record."""
    return {name: decode(Tally, one) for name, one in load_record(TALLIES, record)["gates"].items()}


def find_freight(place: Place, name: str) -> Freight | None:
    """The checkpoint with this full name, as its tag object says. None: there is no such tag."""
    form = "--format=%(refname:lstrip=2)%00%(objecttype)%00%(objectname)%00%(*objectname)"
    said = Git(place.git_dir).run("for-each-ref", form, CHECKPOINTS_PREFIX).decode(errors="replace")
    for found, kind, tag, commit in (line.split("\0") for line in said.splitlines()):
        if found == name and kind == "tag":
            return Freight(name, tag, commit)
    return None


def _read(git: Git, ref: str) -> Chain:
    tip = git.attempt("rev-parse", "--verify", "--quiet", ref).stdout.decode().strip()
    if not tip:
        return Chain()
    said = git.run("log", "--first-parent", "--reverse", f"--format={_FORMAT}", tip).decode(errors="replace")
    messages = [one.partition("\0")[2] for one in said.split("\1\n") if one]
    return Chain(tuple(map(_parse, messages[1:])), tip)


def _parse(message: str) -> Record:
    return decode(Record, load_record(KIND, message.partition("\n\n")[2].encode()))
