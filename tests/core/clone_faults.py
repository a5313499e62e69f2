"""Seeded faults between clones: each is one broken line that the scenes or the walks must notice."""

from __future__ import annotations

FAULTS: dict[str, tuple[str, str, str]] = {
    "a cut-off owner goes on": (
        "ownership",
        "return seen.age_seconds < SECURE_SHARE *",
        "return True or SECURE_SHARE *",
    ),
    "an earlier process's hold counts as ours": ("ownership", "if seen is None or not seen.ours or", "if seen is None or"),
    "a standby does not wait": ("tenures", "seen.age_seconds >= old.takeover_seconds", "True"),
    "a standby never takes over": ("tenures", "seen.age_seconds >= old.takeover_seconds", "False"),
    "the epoch does not rise": ("tenures", "epoch=old.epoch + 1", "epoch=max(1, old.epoch)"),
    "nobody renews": ("tenures", "return present if due or present.tasks", "return present if present.tasks"),
    "changed records are not published": ("tenures", "if due or present.tasks != seen.tenure.tasks else", "if due else"),
    "bids do not wait for an answer": (
        "tenures",
        "or shared.busy or not shared.answered:",
        "or not shared.answered:",
    ),
    "records of other owners are not adopted": ("tenures", "        yield from _adopt(tenure, state)\n", ""),
    "a session that was given back is taken without its records": (
        "tenures",
        "elif not (holding == Holding(me, tenure.epoch) or",
        "elif tenure.owner and not (",
    ),
    "our counters go back": ("tenures", "generation, attempt = max(theirs, ours)", "generation, attempt = theirs"),
    "a task that runs elsewhere is adopted as running": (
        "tenures",
        "record.status if done else Status.WAITING",
        "record.status if done else record.status",
    ),
    "the landing does not say what landed": ("tenures", "_write(seen.tenure, after)", "_write(seen.tenure, state)"),
    "a sign of life takes a landing back": (
        "tenures",
        "landed.get((task.spec.id, task.generation)) or publish_task(task)",
        "publish_task(task)",
    ),
    "what has landed is given up with the session": ("tenures", "and save.step is SaveStep.LANDED", "and False"),
    "a stopping daemon takes sessions over": ("tenures", "(free and not snapshot.draining)", "free"),
    "a stopping daemon keeps its sessions": ("tenures", 'return replace(present, owner="")', "return None"),
    "claims of other clones are overlooked": ("ownership", "if task.status in OPEN)", "if False)"),
    "the landing leaves the tenure behind": ("duties", "bid_for_landing(save, state, snapshot))", "None)"),
    "an owner that is cut off lands": ("duties", "must_not = not is_secure(save.session, shared) or", "must_not ="),
    "a stored start does not wait for ownership": (
        "duties",
        "if is_secure(task.spec.session, snapshot.shared):",
        "if True:",
    ),
    "a task starts without its number": ("arbiter", "lacks = desk.room.unnumbered.get(spec.id)", "lacks = None"),
    "who lacks a number is passed": (
        "arbiter",
        "            desk.start(spec)\n",
        "            if spec.id not in desk.room.unnumbered:\n                desk.start(spec)\n",
    ),
    "numbers that a remote refuses keep others waiting": ("checks", "    Check(Cause.NUMBERS_REFUSED, _refused),\n", ""),
    "numbers are asked for again and again": (
        "numbering",
        "wishes = tuple(wish for task in tasks for wish in wishes_of(task) if wish not in numbered)",
        "wishes = tuple(wish for task in tasks for wish in wishes_of(task))",
    ),
    "numbers are asked for while something is under way": ("numbering", "or shared.busy:", "or False:"),
    "two sessions have one holder": (
        "numbering",
        'f"{spec.session}/{spec.id}.{task.generation}"',
        'f"{spec.id}.{task.generation}"',
    ),
    "a rework waits for a number": ("numbering", "task.rework is None and ", ""),
    "what another clone owns starts here": ("checks", "Grounds(detail=(spec.session, why)) if why else None", "None"),
    "the save of a lost session goes on": (
        "evolve",
        "if draft.save is not None and draft.save.session == event.session:",
        "if False:",
    ),
    "an attempt that the old owner began is begun again": ("evolve", "attempt=task.attempt + 1)", "attempt=task.attempt)"),
    "files here change what another clone owns": ("intake", "and not _is_away(task, state, snapshot)}", "}"),
    "a file that only its owner has is withdrawn": ("intake", "*away}", "}"),
    "requests here change what another clone owns": ("planner", "is_foreign(task.spec.session, snapshot.shared):", "False:"),
}
"""What breaks: the module of the core, the sound text, the broken one."""
