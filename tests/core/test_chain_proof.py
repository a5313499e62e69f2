"""The proof of the chain has no false alarm on sound histories, and none of its checks can be left out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.core import chain_proof
from orchd.core.chain_proof import COPY, Commit, History, Tag, list_copies, prove_history
from orchd.core.losses import word_waiver


def sound(plan: list[list[bool]]) -> History:
    """One checkpoint for each list, with a task for each item; False: its tip was in the base already. A person commits
    between any two."""
    commits, tags, main = {}, {}, list[str]()

    def add(oid: str, parents: tuple[str, ...], tree: str, trailers: dict[str, tuple[str, ...]], note: str = "") -> str:
        commits[oid] = Commit(oid, parents, tree, trailers, note)
        return oid

    base = add("person0", ("old",), "t0", {})
    main.append(base)
    for number, tasks in enumerate(plan):
        head, tokens = base, []
        for at, fresh in enumerate(tasks):
            tip = add(f"tip{number}.{at}", (base,), f"tt{number}.{at}", {}) if fresh else "old"
            tokens.append(f"task{number}-{at} 1.1 {tip}")
            head = add(f"merge{number}.{at}", (head, tip), f"t{number}.{at}", {"Orch-Save": ("s",)}) if fresh else head
        if head == base:
            continue
        name = f"checkpoint/{number}"
        said = {"Orch-Save": (f"s{number}",), "Orch-Base": (base,), "Orch-Task": tuple(tokens), "Orch-Checkpoint": (name,)}
        oid = f"landed{number}"
        landed = add(oid, (base, head), commits[head].tree, said, f"save: s{number}\ncommit: {oid}\n")
        tags[name] = Tag(name, landed, said)
        base = add(f"person{number + 1}", (landed,), f"p{number}", {})
        main += [landed, base]
    return History(tuple(reversed(main)), commits, tags)


PLANS = st.lists(st.lists(st.booleans(), min_size=1, max_size=4), max_size=5)
EXAMPLE = sound([[True, True], [False, True], [True]])


@given(PLANS)
def test_a_sound_history_has_no_break(plan: list[list[bool]]) -> None:
    history = sound(plan)
    proof = prove_history(history)
    assert proof.breaks == ()
    assert proof.checkpoints == len(history.tags)
    assert proof.checkpoints + proof.others == len(history.main)


def merged_back(**changes: tuple[str, ...]) -> History:
    """Somebody set main back behind the second checkpoint, went on, and merged the tag of the third."""
    said = {**EXAMPLE.commits["landed2"].trailers, **changes}
    onward = Commit("onward", ("person1",), "o", {})
    merge = Commit("merge", ("onward", "landed2"), "m", said)
    main = ("merge", "onward", *EXAMPLE.main[EXAMPLE.main.index("person1") :])
    return replace(EXAMPLE, main=main, commits={**EXAMPLE.commits, "onward": onward, "merge": merge})


def test_checkpoints_that_were_merged_back_are_held_and_proven() -> None:
    proof = prove_history(merged_back())
    assert (proof.breaks, proof.checkpoints, proof.others) == ((), 3, 4)
    forged = prove_history(merged_back(**{"Orch-Checkpoint": ("checkpoint/1",)}))
    assert {one.commit for one in forged.breaks} == {"merge"}, "it says it is another one"
    pruned = replace(merged_back(), tags={name: one for name, one in EXAMPLE.tags.items() if name != "checkpoint/2"})
    noted = replace(EXAMPLE.commits["landed2"], note=f"{EXAMPLE.commits['landed2'].note}pruned: checkpoint/2\n")
    proof = prove_history(replace(pruned, commits={**pruned.commits, "landed2": noted}))
    assert (proof.breaks, proof.checkpoints) == ((), 3), "its tag is not what it is known by"
    spoilt = {**merged_back().commits, "landed1": replace(EXAMPLE.commits["landed1"], tree="another")}
    assert {one.commit for one in prove_history(replace(merged_back(), commits=spoilt)).breaks} == {"landed1"}
    guarded = replace(merged_back(), guarded=True)
    signed = {oid: replace(one, signature="G" if oid == "landed0" else "N") for oid, one in guarded.commits.items()}
    assert {one.commit for one in prove_history(replace(guarded, commits=signed)).breaks} == {"landed1", "landed2"}


def spoil(**changes: object) -> History:
    landed = replace(EXAMPLE.commits["landed1"], **changes)  # type: ignore[arg-type]
    return replace(EXAMPLE, commits={**EXAMPLE.commits, "landed1": landed})


SPOILT = {
    "its parents are not the base that it names and one chain of merges": spoil(parents=("person0", "merge1.1")),
    "its tree is not the one that its chain of merges ends with": spoil(tree="another"),
    "the merges behind it are not those of its tasks": spoil(
        trailers={**EXAMPLE.commits["landed1"].trailers, "Orch-Task": ("task1-0 1.1 old", "task1-1 1.1 tip0.0")}
    ),
    "it is not orchd that committed it": spoil(by="Person <person@example.org>"),
    "its tag is missing, points elsewhere or says something else": replace(EXAMPLE, tags={}, owed=frozenset(EXAMPLE.main)),
    "its audit note is missing or speaks of something else": spoil(note="save: s0\ncommit: landed0\n"),
}


@pytest.mark.parametrize("what", chain_proof.CHECKS)
def test_each_check_sees_its_fault_and_nothing_else_does(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert what in {one.what for one in prove_history(SPOILT[what]).breaks}
    left = {words: holds for words, holds in chain_proof.CHECKS.items() if words != what}
    monkeypatch.setattr(chain_proof, "CHECKS", left)
    assert what not in {one.what for one in prove_history(SPOILT[what]).breaks}


def test_what_landed_elsewhere_may_have_its_note_and_its_tag_there() -> None:
    commits = {oid: replace(one, note="") for oid, one in EXAMPLE.commits.items()}
    tags = {name: tag for name, tag in EXAMPLE.tags.items() if name != "checkpoint/0"}
    proof = prove_history(replace(EXAMPLE, commits=commits, tags=tags, owed=frozenset({"landed2"})))
    assert [(one.commit, one.what.split()[1]) for one in proof.breaks] == [("landed2", "audit")] and proof.unseen == 2
    owed = prove_history(replace(EXAMPLE, commits=commits, tags=tags, owed=frozenset(EXAMPLE.main)))
    assert len(owed.breaks) == 4 and owed.unseen == 0


def test_a_name_that_two_clones_have_given_is_no_break_for_what_landed_elsewhere() -> None:
    said = {**EXAMPLE.commits["landed1"].trailers, "Orch-Checkpoint": ("checkpoint/2",)}
    again = replace(EXAMPLE.commits["landed1"], trailers=said)
    both = replace(EXAMPLE, commits={**EXAMPLE.commits, "landed1": again})
    both = replace(both, tags={name: tag for name, tag in both.tags.items() if name != "checkpoint/1"})
    proof = prove_history(both)
    assert (proof.breaks, proof.unseen) == ((), 1)
    assert len(prove_history(replace(both, owed=frozenset({"landed1"}))).breaks) == 1, "its own must have one of its own"
    copy = replace(both.commits["landed2"], by="Person <person@example.org>")
    found = prove_history(replace(both, commits={**both.commits, "landed2": copy}))
    assert {one.commit for one in found.breaks} == {"landed1", "landed2"}, "nor is a copy a namesake"


def test_only_a_copy_can_be_waived_and_counts_for_nothing_then() -> None:
    oid = "landed2"
    remarks = {oid: f"waived: {oid} by Ann at 2026-01-01T00:00:00Z\n"}
    copy = replace(EXAMPLE.commits[oid], by="Person <person@example.org>")
    copied = replace(
        EXAMPLE, commits={**EXAMPLE.commits, oid: copy}, tags={k: t for k, t in EXAMPLE.tags.items() if t.commit != oid}
    )
    assert [one.oid for one in list_copies(copied)] == [oid] and prove_history(copied).breaks
    proof = prove_history(replace(copied, remarks=remarks))
    assert (proof.breaks, proof.checkpoints) == ((), 2)
    [known] = proof.settled
    assert (known.commit, known.what) == (oid, f"{COPY}: waived by Ann at 2026-01-01T00:00:00Z")
    other = {oid: "waived: checkpoint/2 by Ann at 2026-01-01T00:00:00Z\n"}
    assert prove_history(replace(copied, remarks=other)).breaks, "what is said of a lost checkpoint says nothing of a copy"
    robbed = replace(EXAMPLE, commits={**EXAMPLE.commits, oid: replace(EXAMPLE.commits[oid], note="")}, owed=frozenset({oid}))
    assert list_copies(robbed) == [] and prove_history(replace(robbed, remarks=remarks)).breaks, "a landing is none"


def shallow(history: History, depth: int) -> History:
    """What a clone of that depth has of it."""
    seen, ends, row = dict[str, Commit](), set[str](), set(history.main[:1])
    for left in reversed(range(depth)):
        for oid in row & (history.commits.keys() - seen.keys()):
            one = history.commits[oid]
            seen[oid] = one if left else replace(one, parents=())
            ends |= set() if left or not one.parents else {oid}
        row = {parent for oid in row if oid in seen for parent in seen[oid].parents}
    main = tuple(oid for oid in history.main if oid in seen)
    return replace(history, main=main, commits=seen, ends=frozenset(ends))


@given(PLANS, st.integers(1, 12))
def test_where_a_history_ends_nothing_is_broken_and_what_is_there_is_checked(plan: list[list[bool]], depth: int) -> None:
    history = shallow(sound(plan), depth)
    proof = prove_history(history)
    assert proof.breaks == () and (proof.cut is None) == (not history.ends)
    for oid in (oid for oid in history.main if history.commits[oid].is_checkpoint):
        spoilt = replace(history.commits[oid], tree="another", note="another")
        found = prove_history(replace(history, commits={**history.commits, oid: spoilt})).breaks
        assert len({one.what for one in found}) == (1 if oid in history.ends else 2)


def test_without_its_ends_a_shallow_history_looks_broken_and_a_merge_of_a_tag_at_its_end_is_no_checkpoint() -> None:
    assert prove_history(replace(shallow(EXAMPLE, 2), ends=frozenset())).breaks
    merge = replace(merged_back().commits["merge"], by="Person <person@example.org>")
    history = shallow(replace(merged_back(), commits={**merged_back().commits, "merge": merge}), 1)
    assert (prove_history(history).breaks, prove_history(history).checkpoints) == ((), 0)


def test_a_checkpoint_that_main_lost_is_a_break() -> None:
    commits = {oid: one for oid, one in EXAMPLE.commits.items() if oid not in EXAMPLE.main[:2]}
    lost = replace(EXAMPLE, main=EXAMPLE.main[2:], commits=commits)
    assert [one.commit for one in prove_history(lost).breaks] == ["landed2"]
    for said, foreign in ((EXAMPLE.tags["checkpoint/2"].trailers, True), ({"Orch-Checkpoint": ("mine",)}, False)):
        for tag in (Tag("mine", "apart", said), Tag("mine", "apart", {}, said)):
            found = prove_history(replace(EXAMPLE, tags={**EXAMPLE.tags, "mine": tag})).breaks
            assert (found == ()) is foreign, "a tag that does not say so is no checkpoint's, wherever it is"
    waiver = word_waiver("checkpoint/2", "Ann", 0)
    waived = prove_history(replace(lost, remarks={"landed2": waiver}))
    assert waived.breaks == () and [one.commit for one in waived.settled] == ["landed2"]
    for other in ({"landed1": waiver}, {"landed2": word_waiver("checkpoint/1", "Ann", 0)}):
        assert len(prove_history(replace(lost, remarks=other)).breaks) == 1, "said of another one"
    again = prove_history(replace(EXAMPLE, remarks={"landed2": waiver}))
    assert again.settled == (), "nothing is lost"


def test_the_same_work_lands_once() -> None:
    again = replace(EXAMPLE.commits["landed2"], trailers=EXAMPLE.commits["landed1"].trailers)
    breaks = prove_history(replace(EXAMPLE, commits={**EXAMPLE.commits, "landed2": again})).breaks
    assert "task1-1 1.1 tip1.1 had landed before, as landed1" in {one.what for one in breaks}


def test_a_tag_that_was_taken_away_on_purpose_is_no_break() -> None:
    gone = replace(EXAMPLE, tags={name: tag for name, tag in EXAMPLE.tags.items() if name != "checkpoint/1"})
    assert prove_history(gone).breaks == (), "it may be elsewhere"
    gone = replace(gone, owed=frozenset({"landed1"}))
    assert len(prove_history(gone).breaks) == 1
    landed = gone.commits["landed1"]
    other = replace(landed, note=f"{landed.note}pruned: checkpoint/2\n")
    assert len(prove_history(replace(gone, commits={**gone.commits, "landed1": other})).breaks) == 1
    noted = replace(landed, note=f"{landed.note}pruned: checkpoint/1\n")
    assert prove_history(replace(gone, commits={**gone.commits, "landed1": noted})).breaks == ()
    moved = replace(EXAMPLE, commits={**EXAMPLE.commits, "landed1": noted})
    moved = replace(moved, tags={**moved.tags, "checkpoint/1": replace(moved.tags["checkpoint/1"], commit="landed0")})
    assert prove_history(moved).breaks, "a tag that is there must be right"


def signed(*said: str, guarded: bool = True) -> list[str]:
    """The checkpoints that are broken when git says this of their signatures, the oldest first."""
    commits = {f"landed{at}": replace(EXAMPLE.commits[f"landed{at}"], signature=one) for at, one in enumerate(said)}
    proof = prove_history(replace(EXAMPLE, commits={**EXAMPLE.commits, **commits}, guarded=guarded))
    return sorted(one.commit for one in proof.breaks)


def test_signatures_count_where_it_is_known_who_may_sign() -> None:
    assert signed("N", "N", "N", guarded=False) == []
    assert signed("G", "G", "G") == []
    assert signed("N", "G", "G") == [], "it was not always signed"


def test_whoever_may_not_sign_cannot_take_signatures_away() -> None:
    assert signed("N", "N", "N") == ["landed2"]
    assert signed("G", "G", "N") == ["landed2"]
    assert signed("N", "G", "N") == ["landed2"]
    assert signed("G", "N", "G") == ["landed1"]


@pytest.mark.parametrize("said", ["B", "U", "E", "X", "R", "Y", ""])
def test_no_other_word_of_git_is_good(said: str) -> None:
    assert signed("G", said, "G") == ["landed1"]
    assert signed(said, "G", "G") == ["landed0"]
