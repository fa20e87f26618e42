"""29 of 29: every model server overlay of both guides is reproduced, object for object; ours have not changed."""

from collections import Counter

import pytest

from hardware.accelerators import ACCELERATORS
from hardware.render.pods import model_server
from hardware.render.workload import Workload, fabrics, hardware
from releases import RELEASES, release
from tests.parity.overlays import OVERLAYS, Overlay
from tests.parity.reference import assert_upstreams, canonical, digest, load


def recipe(overlay: Overlay) -> Workload:
    """The accelerator's own recipe, nothing overridden."""
    bill = release(overlay.release)
    found = hardware(*overlay.choice, bill)
    return Workload(
        name="pd-disaggregation",
        hardware=found,
        sizing=found.sizing,
        model=found.accelerator.model,
        bill=bill,
    )


@pytest.mark.parametrize("overlay", [row for row in OVERLAYS if row.file], ids=lambda overlay: overlay.id)
def test_overlay_equals_upstream(overlay: Overlay) -> None:
    ours = canonical(model_server(recipe(overlay)))
    assert_upstreams(ours, overlay.digest, lambda place: canonical(load(place / overlay.file)), release=overlay.release)


@pytest.mark.parametrize("overlay", [row for row in OVERLAYS if not row.file], ids=lambda overlay: overlay.id)
def test_what_upstream_has_no_file_of_has_not_changed(overlay: Overlay) -> None:
    assert digest(canonical(model_server(recipe(overlay)))) == overlay.digest


def test_all_of_upstreams_files_are_there() -> None:
    assert Counter(row.release for row in OVERLAYS if row.file) == {"guide-2026-05": 13, "guide-2026-06": 16}


@pytest.mark.parametrize("name", RELEASES)
def test_every_combination_has_a_parity_case(name: str) -> None:
    possible = {
        (key, build.engine.key, fabric)
        for key, accelerator in ACCELERATORS.items()
        for build in accelerator.builds
        for fabric in fabrics(accelerator, release(name))
    }
    assert possible == {row.choice for row in OVERLAYS if row.release == name}
