"""The small scenes of the core, one test each."""

from __future__ import annotations

import answer_scenes  # noqa: F401 - its scenes are on the programme
import gate_scenes  # noqa: F401 - its scenes are on the programme
import lease_scenes  # noqa: F401 - its scenes are on the programme
import playbook
import pytest
import session_scenes  # noqa: F401 - its scenes are on the programme


@pytest.mark.parametrize("scene", playbook.SCENES, ids=[scene.__name__ for scene in playbook.SCENES])
def test_scene(scene: playbook.Scene) -> None:
    scene()
