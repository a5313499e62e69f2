"""Seeded faults: each one is put into a copy of the package, and the quick pass over that copy must fail.

A fault that survives means that a promise is not guarded by any test. `old` must occur exactly once, or the table rots.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import clone_faults
import failure_faults
import gate_faults
import landing_faults
import pytest
import resolving_faults
import screen_faults
import step_faults

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "src" / "orchd"
LIMIT_SECONDS = 60
"""A fault may also make the core run for ever; that is seen as well."""

SPOILT = ("SyntaxError", "IndentationError", "NameError", "ImportError", "ModuleNotFoundError", "this is not the copy")
"""How a fault must not show: as something that is no valid Python."""


@dataclass(frozen=True)
class Fault:
    """One edit of one module of the core."""

    module: str
    old: str
    new: str


FAULTS = {
    # claims and leases
    "leases are not looked at": Fault("desk", "        desk.held.add(name, paths)", "        pass"),
    "two tasks of one look may clash": Fault(
        "desk",
        "self.room))\n        self.held.add(spec.id, spec.claims)\n",
        "self.room))\n",
    ),
    "small claims barge past a broad one": Fault(
        "desk", "is not Cause.SLOTS])\n        self.held.add(spec.id, spec.claims)", "is not Cause.SLOTS])"
    ),
    "slots of groups are not kept for who is next": Fault(
        "desk", "for pool in pools_of(spec, self.room) if pool[0] is not Cause.SLOTS", "for pool in ()"
    ),
    "everybody keeps slots free": Fault("desk", " if pool[0] is not Cause.SLOTS]", "]"),
    "no place is ever kept": Fault("arbiter", "if elder is not None:", "if False:"),
    "places are kept while landing waits for a person": Fault(
        "arbiter", "if state.save is not None and state.save.hold is not None:", "if False:"
    ),
    "places are kept from the first moment": Fault("order", "score_ms >= PATIENCE_MS]", "score_ms >= 0]"),
    "who is broad waits for another drain": Fault(
        "arbiter", "return next((one for one in broader", "return next((one for one in ()"
    ),
    "who is broad keeps a place without being able to start": Fault(
        "arbiter", "if judge(one.spec, desk, USED_UP) is None), elders[0])", "if True), elders[0])"
    ),
    "who is broad passes anybody": Fault("order", "seen_ms + PATIENCE_MS]", "seen_ms + 10**12]"),
    "the index forgets broader holders": Fault("held", "            yield from node.places\n", ""),
    "the index forgets narrower holders": Fault("held", "left += below.longer.values()", "pass"),
    "the index forgets who came later": Fault("held", "if clash is None and asked < len(self._holders):", "if not asked:"),
    "the index names the last holder": Fault("held", "sorted(places))", "sorted(places, reverse=True))"),
    "who keeps a place is in its own way": Fault(
        "held", "if clash is not None and clash.owner in (asker, *passed):", "if False:"
    ),
    "the claim is released too early": Fault("evolve", "if status not in OPEN:", "if status not in {Status.RUNNING}:"),
    "the claim is never released": Fault("evolve", "draft.leases.pop(task, None)", "pass"),
    "the claim is released when the task is ready": Fault(
        "statuses", "BUSY = ACTIVE | {Status.READY, Status.SAVING}", "BUSY = ACTIVE | {Status.SAVING}"
    ),
    "case is not folded": Fault("folding", "return name.lower() if", "return name if"),
    "characters that are left out are not folded": Fault("folding", 'return ""', "return character"),
    "marks are not folded": Fault("folding", " if not unicodedata.combining(one)", ""),
    "the dotless i is not folded": Fault("folding", ").upper())", "))"),
    "compatible forms are not folded": Fault(
        "folding", 'normalize("NFKD", unicodedata.normalize("NFKD",', 'normalize("NFD", unicodedata.normalize("NFD",'
    ),
    "reads and writes get along": Fault(
        "claims", "(Mode.APPEND, Mode.APPEND)})", "(Mode.APPEND, Mode.APPEND), (Mode.READ, Mode.WRITE)})"
    ),
    "two writes get along": Fault("claims", "(Mode.READ, Mode.READ), ", "(Mode.READ, Mode.READ), (Mode.WRITE, Mode.WRITE), "),
    "a star stands for one letter at least": Fault(
        "claims", "while (more := reached | (reached & stars) << 1) != reached:", "while False:"
    ),
    "a star stands for one letter at most": Fault("claims", "<< 1 | reached & stars, stars)", "<< 1, stars)"),
    "a folder claim covers the folder itself": Fault(
        "claims", '(*segments[:-1], "*", "**") if segments[-1] == "**"', '(*segments[:-1], "**") if segments[-1] == "**"'
    ),
    # running tasks that ask for more
    "circles of waiting are let in": Fault("extensions", "        if circles:\n", "        if False:\n"),
    "what others hold is granted": Fault("extensions", "free = not holders and ", "free = "),
    "what people keep is granted": Fault("extensions", " and find_reserved(want.paths, (), self.kept) is None", ""),
    "an expired claim of a person stops a request": Fault(
        "extensions",
        "standing(snapshot.reservations, snapshot.now_ms), list_foreign",
        "snapshot.reservations, list_foreign",
    ),
    "a grant is forgotten within one look": Fault(
        "extensions", "self.leases, self.waits = leases, waits", "self.waits = waits"
    ),
    "a request that waits is forgotten within one look": Fault(
        "extensions", "self.leases, self.waits = leases, waits", "self.leases = leases"
    ),
    "what no task may change is granted": Fault("extensions", "    if closed:\n", "    if False:\n"),
    "the claim of the task does not grow with its lease": Fault(
        "evolve", "spec=replace(task.spec, claims=lease.paths)", "spec=task.spec"
    ),
    "a request is heard again and again": Fault("extensions", "if intent.id in known or", "if"),
    "a refusal is told again and again": Fault(
        "extensions", "if not any(isinstance(one, ExtensionRefused) and", "if not any(False and"
    ),
    "waiting tasks start on what is asked for": Fault("desk", "*room.foreign, *asked)", "*room.foreign)"),
    "who has ended still wants more": Fault("evolve", "replace(draft.leases[task], wants=())", "draft.leases[task]"),
    "what tasks in other clones hold is granted": Fault("extensions", " or _find_foreign(want.paths, self.foreign)", ""),
    "a request waits though nobody is in its way": Fault(
        "planner", "    begin_save,\n    answer_requests,\n", "    begin_save,\n"
    ),
    # resources, ports, claims of people
    "claims of people are not looked at": Fault("checks", "lambda room: room.reservations", "lambda room: ()"),
    "an expired claim of a person holds on": Fault("reservations", "or now_ms < one.until_ms", "or True"),
    "only endless claims of people count": Fault("reservations", " or now_ms < one.until_ms", ""),
    "resources of people are free": Fault("reservations", "if both is not None:", "if False:"),
    "resources are not looked at": Fault("checks", "Check(Cause.RESOURCE, _resource), ", ""),
    "resources of leases are free": Fault(
        "goods", "for lease in held for name in lease.resources", "for lease in () for name in lease"
    ),
    "two tasks of one look get the same resource": Fault("goods", "self.holders.setdefault(name, spec.id)", "pass"),
    "a resource is not in the lease": Fault("planner", "snapshot.now_ms, spec.resources, ", "snapshot.now_ms, (), "),
    "ports of leases are given again": Fault("goods", ".union(*(lease.ports for lease in held))", ""),
    "ports that somebody uses are given": Fault("goods", "taken = busy_ports.union", "taken = frozenset[int]().union"),
    "two tasks of one look get the same port": Fault("goods", "del self.free[: spec.ports]", "pass"),
    "a task starts without its ports": Fault("goods", " < spec.ports", " < 0"),
    "a port is not in the lease": Fault("planner", "spec.resources, decision.ports, fence)", "spec.resources, (), fence)"),
    "a task is not told its port": Fault("duties", "    if ports:\n", "    if False:\n"),
    "a task is not told all its ports": Fault("duties", "    if len(ports) > 1:\n", "    if False:\n"),
    "a silent holder keeps its claim for ever": Fault(
        "leases", "            yield LeaseExpired(name, lease.fence, snapshot.now_ms)\n", "            yield from ()\n"
    ),
    "leases from before the fences expire": Fault(
        "leases", "and lease.fence and not lease.expired_ms", "and not lease.expired_ms"
    ),
    "a lease expires again and again": Fault("leases", "and lease.fence and not lease.expired_ms", "and lease.fence"),
    "a beating holder is expired": Fault("leases", "seen.silent_seconds >= LEASE_SECONDS", "seen.silent_seconds > 0"),
    "who is gone is called silent": Fault("leases", "seen.phase is Phase.RUNNING and ", ""),
    "an expired lease is forgotten": Fault(
        "evolve", "replace(draft.leases[event.task], expired_ms=event.at_ms)", "draft.leases[event.task]"
    ),
    "fences do not rise": Fault("evolve", "max(draft.next_fence, event.lease.fence + 1)", "draft.next_fence"),
    "the starts of a look share a fence": Fault(
        "planner",
        "for fence, one in enumerate(starting, state.next_fence)",
        "for fence, one in ((state.next_fence, s) for s in starting)",
    ),
    "the supervisor is not told its fence": Fault("duties", ", brief, lease.fence, wishes)", ", brief, 0, wishes)"),
    "the airlock is not told the fence": Fault("duties", "claims, accept, fence, begin", "claims, accept, 0, begin"),
    "an expired run goes on": Fault("duties", "        yield RevokeRun(current_run(task))\n", "        pass\n"),
    "silent gates go on": Fault("gate_duties", "        if is_silent(seen[run]):\n", "        if False:\n"),
    "silent orphans go on": Fault("duties", "    if is_silent(seen):\n", "    if False:\n"),
    "work of an expired holder is admitted": Fault("duties", " and not lease.expired_ms and ended_well", " and ended_well"),
    "an expired holder is believed": Fault(
        "attempts", "Exit(Outcome.LOST, fence=left.fence) if lease.expired_ms else left", "left"
    ),
    "a late writer is believed": Fault("attempts", "if seen.fence != lease.fence:", "if False:"),
    "a save lands under other leases": Fault("duties", " and holds_tokens(save, state)", ""),
    "a token has no fence": Fault(
        "leases", "token == (task.generation, task.attempt, lease.fence)", "token[:2] == (task.generation, task.attempt)"
    ),
    "a token has no attempt": Fault(
        "leases", "(item.generation, item.attempt, item.fence)", "(item.generation, task.attempt if task else 0, item.fence)"
    ),
    "a save forgets the fences": Fault(
        "saving", "task.base, fence, task.skipped, task.spent)", "task.base, skipped=task.skipped, spent=task.spent)"
    ),
    # who starts when
    "one slot too many": Fault("checks", "(spec.id in taken) < limit:", "(spec.id in taken) <= limit:"),
    "slots are not counted down": Fault("desk", "        self.take_slots(spec, pools_of(spec, self.room))\n", ""),
    "stopping tasks take no slot": Fault("desk", "if task.status in ACTIVE]", "if task.status == 'running']"),
    "needs are forgotten": Fault("checks", "_name(_not_yet(spec.needs, spec, desk.state))", "None"),
    "a failed need is good enough": Fault("checks", "not may_lack(desk.state.tasks[task])", "False"),
    "after is forgotten": Fault("checks", "_name(_not_yet(spec.after, spec, desk.state))", "None"),
    "a saved task counts as finished": Fault(
        "statuses", "FINISHED = frozenset(Status) - OPEN", "FINISHED = frozenset(Status) - ACTIVE"
    ),
    "priority is upside down": Fault("order", "chain, priority * POINT_MS +", "chain, -priority * POINT_MS +"),
    "waiting counts for nothing": Fault("order", "* POINT_MS + waited_ms + chain", "* POINT_MS + chain"),
    "chains count for nothing": Fault("order", " + chain * LINK_MS", ""),
    "a chain counts without limit": Fault("order", "min(chains[name], CHAIN_LINKS)", "chains[name] * CHAIN_LINKS"),
    "what an urgent task needs is not urgent": Fault("order", "max(priorities[one], priorities[name])", "priorities[one]"),
    "shares are not counted": Fault("order", "self._shares[session] += 1", "pass"),
    "running tasks are no share": Fault("arbiter", "Line(ranked, running)", "Line(ranked, Counter())"),
    "shares do not matter": Fault("order", "(-level_ms, share, -standing", "(-level_ms, 0, -standing"),
    "sessions are never lifted": Fault("order", "(0 if share else standing.waited_ms)", "0"),
    "sessions are always lifted": Fault("order", "(0 if share else standing.waited_ms)", "standing.waited_ms"),
    "an old task keeps an urgent one of its session waiting": Fault(
        "order", "for one in line), max)", "for one in line), min)"
    ),
    "draining starts new tasks": Fault("checks", "if desk.room.draining else None", "if False else None"),
    "everything is started though one was asked for": Fault("checks", "if desk.room.only is not None and", "if False and"),
    "a session of another clone starts here": Fault("checks", "lambda room: room.elsewhere", "lambda room: ()"),
    "who drains starts": Fault("checks", "lambda room: room.draining", "lambda room: False"),
    "who was not asked for starts": Fault("checks", "lambda room: room.only is not None", "lambda room: False"),
    "groups have no limit": Fault("quotas", "lambda config: config.groups", "lambda config: ()"),
    "agents have no limit": Fault("quotas", "lambda config: config.agents", "lambda config: ()"),
    "a full disk is overlooked": Fault(
        "scarcity", "lambda room: room.machine.free_disk_bytes is not None", "lambda room: False"
    ),
    "full memory is overlooked": Fault(
        "scarcity", "lambda room: room.machine.free_memory_bytes is not None", "lambda room: False"
    ),
    "workspaces are not counted": Fault("scarcity", "lambda room: room.config.workspaces is not None", "lambda room: False"),
    "workspaces are not weighed": Fault(
        "scarcity", "lambda room: room.config.workspace_bytes is not None", "lambda room: False"
    ),
    "one workspace too many": Fault("scarcity", "desk.workspaces >= limit", "desk.workspaces > limit"),
    "workspaces to come are not counted": Fault("desk", "        self.workspaces += 1\n", ""),
    "workspaces of running tasks are not counted": Fault("desk", ".union(map(current_run, active))", ""),
    "what is not known is scarce": Fault("scarcity", "free is not None and free < least", "(free or 0) < least"),
    "providers have no limit": Fault("quotas", "lambda config: config.providers", "lambda config: ()"),
    # attempts
    "exit code 1 is accepted": Fault("attempts", "all(result.code == 0 and", "all(result.code < 2 and"),
    "a time-out is accepted": Fault(
        "attempts", "return said and seen.outcome is Outcome.EXITED and bool", "return said and bool"
    ),
    "a program that only ended with 0 is accepted": Fault("attempts", "return said and seen", "return seen"),
    "what was refused and changed nothing is a success": Fault(
        "attempts", "is Entry.UNCHANGED and seen.report and seen.report.denied", "is Entry.UNCHANGED and False"
    ),
    "missing evidence of what changed nothing is a success": Fault("attempts", "failed = returned.reason or (", "failed = ("),
    "the airlock is not told the evidence": Fault("duties", "begin, spec.evidence)", "begin)"),
    "an agent starts while its definition is being written": Fault(
        "duties", " and not is_agent_unclear(task.spec, snapshot.agents)", ""
    ),
    "a goal has no job": Fault("duties", "job if step.goal else None", "None"),
    "a task of an agent that nobody knows is taken in": Fault(
        "intake", "if (fault := find_agent_fault(file, snapshot.agents))", "if (fault := None)"
    ),
    "a definition does not go before a program": Fault("agents", "return defined or (", "return (_plain(name)) if name else ("),
    "rules of the definition are lost": Fault("agents", "        agent.rules,\n", "        PLAIN_RULES,\n"),
    "the next agent is not told what went wrong": Fault(
        "aftermath", "remember(task) if event.status is Status.WAITING else task.setbacks", "task.setbacks"
    ),
    "who is asked again is not told what went wrong": Fault("aftermath", "setbacks=remember(task), tried=()", "tried=()"),
    "what went wrong is remembered for ever": Fault("aftermath", "name_next(task)))[-SETBACKS:]", "name_next(task)))"),
    "an agent starts without what its prompt is written from": Fault(
        "duties", "asks = collect_asks(task, state, snapshot) if task.spec.is_for_agent else ()", "asks = ()"
    ),
    "no result at all is accepted": Fault("attempts", "bool(seen.results) and ", ""),
    "nothing changed is a success": Fault("attempts", "(None if task.spec.noop or task.rework else Reason.NOTHING)", "None"),
    "done without the airlock": Fault("attempts", "if seen.exit and seen.returned:", "if seen.exit:"),
    "refused work is ready": Fault(
        "attempts", "if returned.entry is Entry.ACCEPTED:", "if returned.entry is not Entry.UNCHANGED:"
    ),
    "lost attempts are tried for ever": Fault("attempts", "task.lost + 1 < LOST_RETRIES", "task.lost < 10**9"),
    "a lost attempt is not tried again": Fault("attempts", "task.lost + 1 < LOST_RETRIES", "task.lost > LOST_RETRIES"),
    "the attempt number does not rise": Fault("planner", "task.attempt + 1, base, lease", "max(1, task.attempt), base, lease"),
    "a new wording starts counting attempts anew": Fault(
        "evolve", "if old and same_generation else fresh", "if False else fresh"
    ),
    "the ref of the work is not recorded": Fault("evolve", "        ref=event.ref,\n", ""),
    # answers
    "what strayed fails": Fault("attempts", "Status.HELD if asks else Status.FAILED", "Status.FAILED"),
    "what is still open fails": Fault("attempts", "returned.reason in QUESTIONS", "returned.reason is Reason.CLAIM"),
    "an answer counts for another result": Fault("answers", " or tip != task.tip", ""),
    "whatever is held is answered": Fault(
        "statuses", "QUESTIONS = frozenset({Reason.CLAIM, Reason.CONFLICT})", "QUESTIONS = frozenset(Reason)"
    ),
    "what does not wait is answered": Fault("statuses", "task.status is Status.HELD and task.reason in", "task.reason in"),
    "an answer to another question counts": Fault("answers", " or said not in ANSWERS[task.reason]", ""),
    "a settlement forgets where it began": Fault("answers", "task.ref, task.base, files)", 'task.ref, "", files)'),
    "a settlement is made on the old base": Fault("answers", "task.tip, more[0], task.ref", "task.tip, task.base, task.ref"),
    "a file that makes no sense is passed over": Fault("answers", " or len(files) != len(more) - 1", ""),
    "a task that settles its conflict is told nothing": Fault("aftermath", ", earlier=event.earlier", ""),
    "a lost attempt forgets the conflict": Fault(
        "evolve", "earlier=task.earlier if event.status is Status.WAITING else None", "earlier=None"
    ),
    "a conflict is settled for ever": Fault(
        "evolve", "earlier=task.earlier if event.status is Status.WAITING else None", "earlier=task.earlier"
    ),
    "an answered task runs again": Fault("duties", "if task.rework is not None:", "if task.rework is not None and False:"),
    "a cancelled answer is taken in": Fault(
        "duties", "            accept = task.status is Status.RUNNING\n", "            accept = True\n"
    ),
    "an answer does not widen the claim": Fault("evolve", "spec = replace(task.spec, claims=event.claims)", "spec = task.spec"),
    "an answer is given twice": Fault("evolve", "task.rework if event.status is Status.WAITING else None", "task.rework"),
    "an answered result starts from main": Fault("planner", "again = task.rework.base if task.rework else ", "again = "),
    "a restore is heard twice": Fault("restoring", " or intent.subject in state.tasks", ""),
    "a restore of nothing is heard": Fault("restoring", " or not intent.words[0]", ""),
    "a restore shares main with others": Fault("restoring", 'claims=(PathSpec("**"),)', 'claims=(PathSpec("x"),)'),
    "any clone brings a tree back": Fault("requests", "return DEFAULT_SESSION", 'return ""'),
    "a restore forgets what comes back": Fault("evolve", "rework=event.rework, proposer", "proposer"),
    "an answered task is withdrawn": Fault("intake", " and task.rework is None", ""),
    "a cancelled answer forgets its work": Fault(
        "attempts", "return Returned(Entry.KEPT, again.tip, again.ref) if again else", "return"
    ),
    "a path is taken for a glob": Fault("globs", 'return _UNSPEAKABLE.sub("?", path)', "return path"),
    # duties
    "salvage is forgotten": Fault(
        "duties", "    elif seen.phase is Phase.LOST:\n        yield SalvageRun(current_run(task))\n", ""
    ),
    "a lost start is not asked for again": Fault(
        "duties", "yield StartRun(order_attempt(task, lease, snapshot), task.spec.id, asks)", "pass"
    ),
    "a stopped run is admitted": Fault("duties", "accept = task.status is Status.RUNNING and", "accept ="),
    "a failed run is admitted": Fault("duties", "and ended_well(seen.exit)", ""),
    "nobody stops a cancelled run": Fault("duties", "yield StopRun(current_run(task))", "pass"),
    "an orphan is not stopped": Fault("duties", "        yield StopRun(run)\n", "        pass\n"),
    "a workspace goes before its work is reachable": Fault(
        "duties", "elif run.startswith(GATE_MARK) or is_reachable(seen):", "else:"
    ),
    "a workspace goes though nothing could be taken": Fault(
        "duties", "return returned is not None and (bool", "return returned is not None or (bool"
    ),
    "a workspace goes that holds more than the ref": Fault("duties", " and not returned.partial", ""),
    "what left no evidence is read for ever": Fault(
        "duties", "task is not None and seen.exit is not None and", "task is not None and"
    ),
    "a wanted workspace is cleared up": Fault("duties", "if run not in needed:", "if True:"),
    "bases of open tasks are released": Fault(
        "duties", "tasks.items() if task.status in BUSY}", "tasks.items() if task.status is Status.RUNNING}"
    ),
    "journals pile up": Fault("duties", "        yield ForgetSaves(stale)\n", "        pass\n"),
    "the journal of the save in flight is deleted": Fault("duties", "({state.save.id} if state.save else set())", "set()"),
    "gates judge the wrong link": Fault("gate_duties", "save.chain[index - 1].head if index", "save.chain[0].head if index"),
    "only the first gate is run": Fault("gate_duties", "for gate in gates)", "for gate in gates[:1])"),
    # saving and landing
    "a save does not gather": Fault("landing", " and gathers_until(state, snapshot) is None", ""),
    "a save gathers for ever": Fault("saving", "min(ready) <= now_ms < until", "min(ready) <= now_ms"),
    "a save waits when the clock was set back": Fault("saving", "min(ready) <= now_ms < until", "now_ms < until"),
    "a save waits though nothing runs": Fault("saving", "until if waits and", "until if"),
    "a full save waits": Fault("saving", "not 0 < len(ready) < SAVE_ITEMS", "not ready"),
    "a save gathers as long as something is new": Fault("saving", "until = min(ready) +", "until = max(ready) +"),
    "nobody looks when a save has gathered": Fault("planner", "in (wakes_at(state, snapshot), ", "in (None, "),
    "gates are skipped": Fault("gating", "if not save.gates or not save.chain:", "if True:"),
    "a red tree lands": Fault("gating", "return bounds(save)[0] if save.gates else", "return"),
    "one link too many lands": Fault(
        "gating", "return bounds(save)[0] if save.gates", "return bounds(save)[0] + 1 if save.gates"
    ),
    "the wrong item is blamed": Fault("gating", "Excluded(save.chain[red - 1].item", "Excluded(save.chain[red - 2].item"),
    "a request waits for a session that waits for it": Fault("extensions", " or _find_line(holders, self.state)", ""),
    "the search is linear": Fault(
        "cutting", "return _plan(links, width)[1]", "return tuple(range(1, min(width, links - 1) + 1))"
    ),
    "a save mixes sessions": Fault("saving", "in ready if task.spec.session == name", "in ready if True"),
    "a second save begins beside the first": Fault("saving", "    if state.save is not None:\n        return None\n", ""),
    "saves share a name": Fault("saving", "save.gates, save.number, save.resolving)", "save.gates, save.resolving)"),
    "the base is not checked before landing": Fault(
        "landing",
        "    elif _is_overtaken(save, seen, snapshot):\n        yield SaveAbandoned(save.id, snapshot.now_ms)\n    elif seen",
        "    elif seen",
    ),
    "a merged save never gives up": Fault(
        "landing",
        "    if _is_overtaken(save, seen, snapshot):\n        yield SaveAbandoned(save.id, snapshot.now_ms)\n    elif probe",
        "    if probe",
    ),
    "main moved is overlooked everywhere": Fault(
        "landing",
        "(snapshot.main != save.base or seen.taken)",
        "(seen.taken)",
    ),
    "what landed is given up": Fault(
        "landing",
        "    if seen.landed:\n        yield SaveLanded(save.id, seen.landed)\n    elif _is_overtaken",
        "    if _is_overtaken",
    ),
    "a taken name is overlooked": Fault(
        "landing", "(snapshot.main != save.base or seen.taken)", "(snapshot.main != save.base)"
    ),
    "the same tree lands once more": Fault("landing", "elif lands_nothing_new(save):", "elif False:"),
    "a save is closed before it is published": Fault("landing", "if seen.published and", "if"),
    "an empty save stays open": Fault("landing", "if lands == 0:", "if False:"),
    "a lost gate is repeated for ever": Fault("gating", "unheard = lost >= GATE_ATTEMPTS or", "unheard ="),
    "a hold is never lifted": Fault(
        "landing", "elif (seen.hold, seen.hold_detail) != (save.hold, save.hold_detail):", "elif seen.hold and not save.hold:"
    ),
    "excluded tasks stay in the save": Fault("saving", " - {gone.item.task for gone in save.excluded}", ""),
    "what was not landed is called landed": Fault("evolve", "save.chain[: save.lands]}", "save.chain}"),
    "the number is used again": Fault(
        "evolve", "draft.next_number = event.save.number + 1", "draft.next_number = event.save.number"
    ),
    "lost attempts are not counted": Fault("evolve", "+ (event.reason is Reason.LOST)", ""),
    # intake and intents
    "an open task takes a new wording": Fault("intake", "if task.status in OPEN:", "if False:"),
    "a drop is taken twice": Fault("intake", "return file.drop != task.drop", "return True"),
    "a returning file is overlooked": Fault("intake", " or task.status is Status.WITHDRAWN\n", "\n"),
    "running tasks are withdrawn": Fault(
        "intake", "if task.status is Status.WAITING and", "if task.status in (Status.WAITING, Status.RUNNING) and"
    ),
    "what is being written is withdrawn": Fault("intake", "there = {*present, *files.unsettled}", "there = {*present}"),
    "inbox tasks are withdrawn": Fault("intake", "bound = task.source is not Source.INBOX and task", "bound = task"),
    "a finished task keeps its generation": Fault("intake", "else generation + 1", "else max(1, generation)"),
    "bad files are admitted": Fault("intake", "if task not in wrong]", "if True]"),
    "drops are never moved away": Fault("intake", "return taken | refused |", "return refused |"),
    "all share a place in the queue": Fault(
        "intake", "enumerate(files, state.next_order)", "((state.next_order, f) for f in files)"
    ),
    "requests are heard in full": Fault("planner", "{_topic(intent): intent for intent in asked}.values()", "asked"),
    "requests ignore the table": Fault("planner", "if task and allows(type(event), task.status)", "if task"),
    "a held save keeps orchd busy": Fault(
        "planner", "held = state.save is not None and state.save.hold is not None", "held = False"
    ),
    # notes
    "who asks in vain is not told": Fault("briefing", "for name in seen.asked if name not in ASKS", "for name in ()"),
    "notes are told again and again": Fault("briefing", 'if text != seen.told.get(name, ""):', "if text:"),
    # live commits
    "live commits are not taken": Fault(
        "duties", "if seen.phase is Phase.RUNNING and seen.live and seen.live.fresh:", "if False:"
    ),
    "the result is judged before the live commits": Fault(
        "duties", "return TakeLive(order) if seen.live and seen.live.fresh else AdmitResult(order)", "return AdmitResult(order)"
    ),
    "live commits of what runs are let go": Fault("duties", "snapshot.lives - watched_runs(state)", "snapshot.lives"),
    "live commits are held for ever": Fault("duties", "if ended and (len(ended)", "if False and (len(ended)"),
    # predicted conflicts
    "predictions are never cleared": Fault(
        "radar", "for task, other in sorted(known.keys() - now.keys()):", "for task, other in ():"
    ),
    "who is done is told": Fault("radar", "task.status is Status.HELD, task.status in ACTIVE,", "task.status is Status.HELD,"),
    "tips are predicted that nobody looked at": Fault("radar", "return seen.live.tip if", "return seen.live.fresh if"),
    "who is in the way of many goes first": Fault("conflicts", "degrees[t.spec.id], -t", "-degrees[t.spec.id], -t"),
    "later tasks are told about main for others": Fault(
        "radar", "if path not in (*against_main[one], *against_main[other])", ""
    ),
    # graph
    "circles are overlooked": Fault("graph", "problems = {**_find_cycles(files, known), **stuck}", "problems = dict(stuck)"),
    "a circle is told backwards": Fault("graph", "list(reversed(error.args[1][1:]))", "list(error.args[1][1:])"),
    "missing dependencies are overlooked": Fault("graph", "if task not in known:", "if False:"),
    "a need of a bad file is good": Fault("graph", "if task in problems:", "if False:"),
    "the last of two files counts": Fault(
        "graph", "kept = first.setdefault(file.spec.id, file)", "kept = first[file.spec.id] = file"
    ),
}

SEEDED = (clone_faults, gate_faults, landing_faults, resolving_faults, screen_faults, step_faults)
FAULTS |= {name: Fault(*fault) for faults in SEEDED for name, fault in faults.FAULTS.items()}


RARE = step_faults.FAULTS.keys() | failure_faults.FAULTS.keys()


def thin_out(faults: dict[str, Fault]) -> list[object]:
    """`make test` tries every eighth fault (of steps and failures, told by scenes at once, few), `make test-slow`
    the others; that each fits its module is tested always."""
    return [
        pytest.param(fault, id=name.replace(" ", "-"), marks=[pytest.mark.slow] * bool(at % (24 if name in RARE else 8)))
        for at, (name, fault) in enumerate(faults.items())
    ]


@pytest.mark.parametrize("fault", thin_out(FAULTS))
def test_each_seeded_fault_is_noticed(fault: Fault, tmp_path: Path) -> None:
    notice(fault, tmp_path)


def notice(fault: Fault, tmp_path: Path) -> None:
    """The quick pass over a copy with the fault fails."""
    module = copy_package(tmp_path) / "core" / f"{fault.module}.py"
    text = module.read_text()
    assert text.count(fault.old) == 1, "the fault does not fit the module any more"
    module.write_text(text.replace(fault.old, fault.new))
    done = run_quick(tmp_path)
    assert done.returncode == 1, f"nobody noticed:\n{done.stdout}{done.stderr}"
    assert not done.stderr.splitlines()[-1].startswith(SPOILT), done.stderr


def copy_package(folder: Path) -> Path:
    """The floors that the core's tests need."""
    copy = folder / "orchd"
    for floor in ("model", "core", "adapters"):
        shutil.copytree(PACKAGE / floor, copy / floor, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("__init__.py", "errors.py"):
        shutil.copy(PACKAGE / file, copy)
    return copy


def test_without_a_fault_the_quick_pass_is_content() -> None:
    done = run_quick(PACKAGE.parent)
    assert done.returncode == 0, done.stderr


def run_quick(sources: Path) -> subprocess.CompletedProcess[str]:
    """The quick pass over the package in `sources`, in a child of its own."""
    env = {**os.environ, "PYTHONPATH": f"{sources}{os.pathsep}{HERE}", "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, str(HERE / "quick.py"), str(sources)]
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
