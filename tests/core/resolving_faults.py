"""Seeded faults in what settles conflicts without asking; `test_mutants` plants them."""

from __future__ import annotations

FAULTS = {
    "what nobody allowed is settled": ("saving", "config.resolving if gated else", "config.resolving if True else"),
    "markers are let through": ("resolving", "if any(_MARKER.match(line) and", "if False and any(_MARKER.match(line) and"),
    "lost lines are let through": ("resolving", "now[unit] < min(both, max", "now[unit] < min(0, max"),
    "invented lines are let through": ("resolving", "if now[unit] > max(both", "if now[unit] > 9 + max(both"),
    "what one side removed is let through": ("resolving", "max(both, min(ours[unit]", "max(both, max(ours[unit]"),
    "overlapping changes are joined": (
        "threeway",
        "if any(_overlap(one, other) for",
        "if False and any(_overlap(one, other) for",
    ),
    "two additions at one place are joined": ("threeway", "return one.start == other.start", "return False"),
    "the start of a line never counts": ("resolving", "if not words or not means_indentation(path):", "if True:"),
    "imports of other languages are merged": ("resolving", ") if is_python(spot.path) else None", ")"),
    "any list is a list of imports": ("import_lines", "(True in lists and not _is_in_imports(before))", "False"),
    "imports in no order are put in one": (
        "import_lines",
        "one for one in ORDERS if all(_is_sorted(side, one) for side in sides)",
        "one for one in ORDERS",
    ),
    "a removed import comes back": (
        "import_lines",
        "return (ours & theirs) | (ours - base)",
        "return (ours | theirs) | (ours - base)",
    ),
    "what one side removed comes back": ("resolving", " and gone.keys().isdisjoint(more)", ""),
    "an addition and a change are united": ("resolving", "None if chunk.base or not ends", "None if not ends"),
    "what is added by both is settled": ("resolving", "plain = None not in trio and", "plain ="),
    "another mode is settled": ("resolving", " and len(modes) == 1", ""),
    "any kind of conflict is settled": ("resolving", " and dispute.kinds == (CONTENTS,)", ""),
    "links are settled": ("resolving", " and not take_whole(dispute)", ""),
    "protected files are settled": ("resolving", "written or is_protected(dispute.path) or", "written or"),
    "lock files are settled": ("resolving", "not (written or", "not ("),
    "migrations are settled": ("resolving", " or NUMBERED.intersection(names))", ")"),
    "pointers are settled": ("resolving", "None if any(text.startswith(LFS_POINTER) for text in trio) else", ""),
    "what was settled elsewhere is proposed for any conflict": (
        "precedents",
        "[(one.base, *sorted((one.ours, one.theirs))) for one in ways.disputed]",
        "[one.start for one in ways.disputed]",
    ),
    "sides that changed places are another conflict": ("precedents", "*sorted((one.ours, one.theirs))", "one.ours, one.theirs"),
    "what was changed besides is dropped": ("precedents", "or settled[: len(first)] != first", ""),
    "what was changed behind is dropped": ("precedents", "or settled[end:] != last", ""),
    "places are told apart by luck": ("precedents", "if not fixed or len(starts) != 1:", "if not fixed or not starts:"),
    "lines run into each other": ("precedents", "if all(line.endswith(", "if True or all(line.endswith("),
    "any number of places fits": ("precedents", "if len(places) != len(ways.disputed):", "if False:"),
    "union is for every file": (
        "resolving",
        "union = any(covers(PathSpec(glob), path) for glob in resolving.union)",
        "union = True",
    ),
}
"""Name, module, old text, new text."""
