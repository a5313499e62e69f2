"""Input files looked at once, for `orchd check` and hooks: nothing settles, nothing is moved, nothing is remembered.

Rule: what this finds good, `orchd run` takes; both look through the same held folders.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from orchd.adapters.agent_files import AGENTS, SUFFIX, GitAgentFiles
from orchd.adapters.agent_schema import parse_agent
from orchd.adapters.branch import find_branch
from orchd.adapters.effective import read_effective
from orchd.adapters.git_repo import open_repo
from orchd.adapters.git_run import Git
from orchd.adapters.inbox import INBOX
from orchd.adapters.place import Place
from orchd.adapters.plain_file import PlainFile, Read, Refusal, hold_folder, read_plain_file
from orchd.adapters.rejected_files import RejectedFiles
from orchd.adapters.reservation_record import CLAIM_FILES
from orchd.adapters.schema import parse_config, parse_reservation
from orchd.adapters.session_files import SESSIONS, fault_of_base
from orchd.adapters.session_schema import find_base, parse_session
from orchd.adapters.settings import CONFIG_PATH
from orchd.adapters.task_files import SUFFIXES, TASKS, list_folder, refuse, refuse_folder, show_file
from orchd.adapters.task_schema import parse_task
from orchd.adapters.yaml_source import Document, Span, load_yaml, make_problem
from orchd.core.agents import find_agent_fault
from orchd.model.agent import AgentsSeen, Definition
from orchd.model.config import Config
from orchd.model.problem import Problem
from orchd.model.session import SessionSpec
from orchd.model.snapshot import FileSeen
from orchd.model.work import Source

_ORCH = (".orch",)
_OWN_FOLDERS = (_ORCH, TASKS, SESSIONS, AGENTS, INBOX, CLAIM_FILES)
"""Folders of the checkout in which orchd follows no symlink."""
_SOURCES: Mapping[tuple[str, ...], Source] = {TASKS: Source.FILE, INBOX: Source.INBOX}


def check_files(place: Place, paths: Sequence[Path] = ()) -> tuple[tuple[FileSeen, ...], tuple[Problem, ...]]:
    """The well-formed task files among `paths`, and what is wrong with the others.

    Without paths: the configuration, all agents, sessions and tasks, the inbox and what was rejected from it, and claims of
    people (of a bare repository: nothing).
    A path that ends in `.orch/config.yaml` is judged as a configuration, one in `.orch/sessions/` as a session, one in
    `.orch/claims/` as a claim file, one in `.orch/agents/` as an agent, any other as a task.
    """
    timeout = _default_timeout(place)
    if paths:
        found = [_check(place, _locate(path, place.checkout), timeout) for path in paths]
    else:
        found = list(_check_all(place, timeout))
    files = tuple(one for one in found if isinstance(one, FileSeen))
    wrong = tuple(problem for one in found if not isinstance(one, FileSeen) for problem in one)
    seen = _see_agents(place) if any(file.spec.is_for_agent for file in files) else None
    lost = {file: fault for file in files if seen and (fault := find_agent_fault(file, seen))}
    return tuple(file for file in files if file not in lost), (*wrong, *lost.values())


def _see_agents(place: Place) -> AgentsSeen | None:
    """Who can be meant by a name; None: nobody can say, for nothing was ever committed."""
    branch = find_branch(place, read_effective(place).branch, "")
    asked = Git(place.git_dir).attempt("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
    if asked.returncode:
        return None
    return GitAgentFiles(place, open_repo(place), branch, time.time).look(asked.stdout.decode().strip(), ask=False)[0]


def _check_all(place: Place, timeout: float) -> Iterator[FileSeen | tuple[Problem, ...]]:
    if place.checkout is None:
        return
    with hold_folder(place.checkout, _ORCH) as folder:
        if isinstance(folder, Refusal):
            yield (refuse_folder(".orch", folder),)
            return
    if os.path.lexists(place.checkout / CONFIG_PATH):
        yield _check(place, place.checkout / CONFIG_PATH, timeout)
    for parts in (AGENTS, SESSIONS, *_SOURCES, CLAIM_FILES):
        suffixes = (SUFFIX,) if parts == AGENTS else SUFFIXES
        prefix = "/".join(parts)
        with hold_folder(place.checkout, parts) as folder:
            if isinstance(folder, Refusal):
                yield (refuse_folder(prefix, folder),)
            elif folder is not None:
                yield from (
                    _check(place, place.checkout / path, timeout) for path, _ in sorted(list_folder(prefix, folder, suffixes))
                )
    yield RejectedFiles(place, parse_task).look()


def _locate(path: Path, checkout: Path | None) -> Path:
    """The path without `..` and without symlinks above the file, except in orchd's own folders: there they are a fault."""
    plain = Path(os.path.normpath(path.absolute()))
    own = checkout is not None and plain.is_relative_to(checkout) and plain.relative_to(checkout).parent.parts in _OWN_FOLDERS
    means_the_same = plain.parent.resolve() == path.absolute().parent.resolve()
    return plain if own and means_the_same else path.absolute().parent.resolve() / path.name


def _check(place: Place, path: Path, timeout: float) -> FileSeen | tuple[Problem, ...]:
    inside = _inside(place, path)
    shown = str(inside or path)
    read = _read(place, path)
    if not isinstance(read, PlainFile):
        return (refuse(shown, read if isinstance(read, Refusal) else Refusal("it is not there, or somebody writes it now")),)
    if path.as_posix().endswith(f"/{CONFIG_PATH}"):
        config = parse_config(shown, read.content)
        return _check_branch(place, shown, read.content, config) if isinstance(config, Config) else config
    if path.parent.parts[-2:] == AGENTS:
        agent = parse_agent(shown, path.stem, read.content)
        return agent if isinstance(agent, tuple) else tuple(_object(shown, read.content, agent))
    if path.parent.parts[-2:] == CLAIM_FILES:
        held = parse_reservation(shown, read.content, read.signature[1] // 1_000_000)
        return held if isinstance(held, tuple) else ()
    if path.parent.as_posix().endswith("/".join(SESSIONS)):
        session = parse_session(shown, path.stem, read.content)
        return session if isinstance(session, tuple) else _check_base(place, shown, read.content, session)
    parsed = parse_task(shown, path.stem, read.content)
    source = _SOURCES.get(inside.parent.parts, Source.FILE) if inside else Source.FILE
    return parsed if isinstance(parsed, tuple) else show_file(shown, parsed, source, timeout)


def _object(path: str, content: bytes, agent: Definition) -> Iterator[Problem]:
    """That it can never be started, which `orchd run` does not find before it is meant to be."""
    if agent.objection:
        lines = content.decode("utf-8", "replace").splitlines()
        at = next((number for number, line in enumerate(lines, 1) if line.startswith("rules:")), 1)
        hint = "change its `rules:`, or name another program in `runner:`"
        yield make_problem(path, lines, Span(at, 1), "E092", agent.objection, hint)


def _read(place: Place, path: Path) -> Read | None:
    inside = _inside(place, path)
    own = inside is not None and inside.parent.parts in _OWN_FOLDERS
    top = place.checkout if own and place.checkout else Path(path.anchor)
    with hold_folder(top, path.parent.relative_to(top).parts) as folder:
        return read_plain_file(folder, path.name) if isinstance(folder, int) else folder


def _inside(place: Place, path: Path) -> PurePosixPath | None:
    """The path from the top of the checkout; None when it is not in there."""
    inside = place.checkout is not None and path.is_relative_to(place.checkout)
    return PurePosixPath(path.relative_to(place.checkout)) if inside and place.checkout else None


def _default_timeout(place: Place) -> float:
    """That of the configuration, as far as it can be understood."""
    read = _read(place, place.checkout / CONFIG_PATH) if place.checkout else None
    config = parse_config(CONFIG_PATH, read.content) if isinstance(read, PlainFile) else None
    return (config if isinstance(config, Config) else Config()).timeout_seconds


def _check_base(place: Place, shown: str, content: bytes, spec: SessionSpec) -> tuple[Problem, ...]:
    git = Git(place.git_dir)
    asked = (
        git.attempt("rev-parse", "--verify", "--quiet", "--end-of-options", f"{spec.base}^{{commit}}") if spec.base else None
    )
    base = asked.stdout.decode().strip() if asked else ""
    fault = fault_of_base(spec, base, lambda: _is_landed(place, base))
    return () if fault is None else (find_base(shown, content, *fault),)


def _is_landed(place: Place, commit: str) -> bool:
    branch = find_branch(place, read_effective(place).branch, "")
    return Git(place.git_dir).attempt("merge-base", "--is-ancestor", commit, f"refs/heads/{branch}").returncode == 0


def _check_branch(place: Place, shown: str, content: bytes, config: Config) -> tuple[Problem, ...]:
    document = load_yaml(shown, content)
    if not config.branch or not isinstance(document, Document):
        return ()
    asked = Git(place.git_dir).attempt("rev-parse", "--verify", "--quiet", f"refs/heads/{config.branch}^{{commit}}")
    if asked.returncode == 0:
        return ()
    span, _ = document.root.entries["branch"]
    hint = "correct it, or make a first commit on it"
    return (document.problem(span, "E050", f"there is no branch `{config.branch}`", hint),)
