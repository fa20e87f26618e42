"""13 of 13: every model server overlay of the guide is reproduced, object for object."""

import pytest

from hardware.accelerators import ACCELERATORS
from hardware.renderer import model_server
from hardware.workload import Workload, hardware
from releases import release
from tests.parity.overlays import OVERLAYS, Overlay
from tests.parity.reference import assert_upstreams, canonical, load


def recipe(overlay: Overlay) -> Workload:
    """The accelerator's own recipe, nothing overridden."""
    found = hardware(overlay.accelerator, overlay.engine, overlay.fabric)
    return Workload(
        name="pd-disaggregation",
        hardware=found,
        sizing={"prefill": found.accelerator.prefill, "decode": found.accelerator.decode},
        model=found.accelerator.model,
        bill=release("guide-2026-05"),
    )


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda overlay: overlay.file)
def test_overlay_equals_upstream(overlay: Overlay) -> None:
    ours = canonical(model_server(recipe(overlay)))
    assert_upstreams(ours, overlay.digest, lambda directory: canonical(load(directory / overlay.file)))


def test_every_combination_has_a_parity_case() -> None:
    possible = {
        (key, build.engine.key, fabric)
        for key, accelerator in ACCELERATORS.items()
        for build in accelerator.builds
        for fabric in accelerator.fabrics
    }
    assert possible == {(overlay.accelerator, overlay.engine, overlay.fabric) for overlay in OVERLAYS}
