"""Which branch tasks land on."""

from __future__ import annotations

from collections.abc import Collection

from orchd.adapters.git_run import Git
from orchd.adapters.place import Place
from orchd.errors import ConfigError
from orchd.model.ids import REMOTE_PREFIX, Oid

USUAL_BRANCHES = ("main", "master")


def find_branch(place: Place, configured: str, remembered: str) -> str:
    """The configured branch, else the usual one. Raises ConfigError when there is none."""
    found = _find_first(Git(place.git_dir), (configured,)) if configured else find_usual_branch(place, remembered)
    if found:
        return found
    if configured:
        raise ConfigError(f"there is no branch `{configured}`", "correct `branch:` in .orch/config.yaml")
    raise ConfigError(
        "there is no branch to land on: neither main nor master nor one that is checked out has a commit",
        "make a first commit, or name the branch with `branch:` in .orch/config.yaml",
    )


def find_usual_branch(place: Place, remembered: str) -> str:
    """The one that orchd landed on before, else `main`, else `master`, else the one that HEAD names; empty when none of
    them has a commit. What is checked out later does not change where tasks land."""
    git = Git(place.git_dir)
    found = _find_first(git, (remembered, *USUAL_BRANCHES))
    if found:
        return found
    head = git.attempt("symbolic-ref", "--quiet", "--short", "HEAD").stdout.decode().strip()
    return _find_first(git, (head,))


def find_tip(place: Place, branch: str) -> Oid:
    """The commit that a branch is at. Raises GitError when there is none."""
    return Git(place.git_dir).run("rev-parse", "--verify", f"refs/heads/{branch}^{{commit}}").decode().strip()


def name_main(place: Place, branch: str, remote: str) -> str:
    """The ref that says where the branch is: where clones share a remote, the remote's branch as it was last seen."""
    return name_all(place, branch, remote)[0]


def name_all(place: Place, branch: str, remote: str) -> tuple[str, ...]:
    """The ref that says where the branch is, and what the person's own fetches know of it: tags may have come with those."""
    wanted = (f"{REMOTE_PREFIX}main", f"refs/remotes/{remote}/{branch}")
    known = Git(place.git_dir).run("for-each-ref", "--format=%(refname)", *wanted).decode().split() if remote else ()
    return tuple(ref for ref in wanted if ref in known) or (f"refs/heads/{branch}",)


def name_newest(place: Place, branch: str, remote: str) -> tuple[str, ...]:
    """The ref of what is known of the branch, the newest first: a person's fetch may be ahead of what was seen before, and
    where the two went apart both count."""
    mains = name_all(place, branch, remote)
    return mains[::-1] if len(mains) > 1 and contains(place, mains[1], mains[0]) else mains


def contains(place: Place, ref: str, commit: Oid) -> bool:
    """Whether a ref contains `commit` now. What is not even an object any more is nowhere."""
    return Git(place.git_dir).attempt("merge-base", "--is-ancestor", commit, ref).returncode == 0


def find_missing(place: Place, ref: str, commits: Collection[Oid]) -> frozenset[Oid]:
    """Those of `commits` that a ref does not contain now; one walk for all."""
    asked = "".join(f"{commit}\n" for commit in (f"^{ref}", *sorted(commits)))
    done = Git(place.git_dir).attempt("rev-list", "--stdin", stdin=asked.encode()) if commits else None
    if done is None or not done.returncode:
        return frozenset(commits).intersection(done.stdout.decode().split() if done else ())
    return frozenset(commit for commit in commits if not contains(place, ref, commit))


def _find_first(git: Git, names: tuple[str, ...]) -> str:
    """One question for all: clients ask at each command."""
    wanted = [f"refs/heads/{name}" for name in names if name]
    asked = git.run("for-each-ref", "--format=%(refname)%00%(symref)%00%(objecttype)", *wanted).decode() if wanted else ""
    known = {ref: target for ref, target, kind in (line.split("\0") for line in asked.splitlines()) if kind == "commit"}
    first = next((ref for ref in wanted if ref in known), "")
    return _resolve(git, first.removeprefix("refs/heads/")) if known.get(first) else first.removeprefix("refs/heads/")


def _resolve(git: Git, name: str) -> str:
    """The branch itself where `name` is only another name for one: refs are moved by their real name."""
    target = git.attempt("symbolic-ref", "--quiet", f"refs/heads/{name}").stdout.decode().strip()
    return _resolve(git, target.removeprefix("refs/heads/")) if target.startswith("refs/heads/") else name
