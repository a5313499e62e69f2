"""The small scenes of the core, one test each."""

from __future__ import annotations

import agent_scenes  # noqa: F401 - its scenes are on the programme
import answer_scenes  # noqa: F401 - its scenes are on the programme
import clone_scenes  # noqa: F401 - its scenes are on the programme
import gate_scenes  # noqa: F401 - its scenes are on the programme
import goal_step_scenes  # noqa: F401 - its scenes are on the programme
import gone_scenes  # noqa: F401 - its scenes are on the programme
import landing_scenes  # noqa: F401 - its scenes are on the programme
import lease_scenes  # noqa: F401 - its scenes are on the programme
import part_scenes  # noqa: F401 - its scenes are on the programme
import playbook
import precedent_scenes  # noqa: F401 - its scenes are on the programme
import proposal_scenes  # noqa: F401
import pytest
import recovery_scenes  # noqa: F401 - its scenes are on the programme
import request_scenes  # noqa: F401 - its scenes are on the programme
import resolving_scenes  # noqa: F401 - its scenes are on the programme
import restore_scenes  # noqa: F401 - its scenes are on the programme
import schedule_scenes  # noqa: F401 - its scenes are on the programme
import screen_scenes  # noqa: F401 - its scenes are on the programme
import session_scenes  # noqa: F401 - its scenes are on the programme
import step_scenes  # noqa: F401 - its scenes are on the programme
import test_mutants
import test_recovery_mutants
import test_session_mutants


@pytest.mark.parametrize("scene", playbook.SCENES, ids=[scene.__name__ for scene in playbook.SCENES])
def test_scene(scene: playbook.Scene) -> None:
    scene()


def test_each_seeded_fault_fits_its_module() -> None:
    """The faults themselves are slow; that one does not fit any more is known at once."""
    faults = {**test_mutants.FAULTS, **test_session_mutants.FAULTS, **test_recovery_mutants.FAULTS}
    texts = {fault.module: (test_mutants.PACKAGE / "core" / f"{fault.module}.py").read_text() for fault in faults.values()}
    assert [name for name, fault in faults.items() if texts[fault.module].count(fault.old) != 1] == []
