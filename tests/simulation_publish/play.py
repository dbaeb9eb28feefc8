"""Plays one seed: `python -m tests.simulation_publish --seeds 1000`."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest

from tests.simulation_publish.acting import BlanksWorld, TaskWorld
from tests.simulation_publish.contacting import ContactingWorld
from tests.simulation_publish.secondary import SecondaryWorld
from tests.simulation_publish.world import World

STEPS = 60
CHECK_EVERY = 6
KINDS = (World, TaskWorld, ContactingWorld, SecondaryWorld, BlanksWorld, ContactingWorld)  # of seeds, in turn


def play(seed: int) -> World:
    """Play a seed from the first step to rest, and check on the way and at the end. AssertionError where it fails.

    What somebody deletes or renames in the CRM is not seen before it is written again; then all must be equal.
    """
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        world = KINDS[seed % len(KINDS)](random.Random(seed), Path(folder), patch)
        for number in range(STEPS):
            world.step()
            if number % CHECK_EVERY == 0:
                world.check_known()
        world.settle()
        world.check_known()
        if world.edits:
            world.write_everybody_anew()
            world.settle()
        world.check()
        world.crm.close()
        return world
