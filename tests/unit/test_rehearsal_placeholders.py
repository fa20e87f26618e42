"""The placeholders of a stack file in a rehearsal: filled in with what the pretend cloud offers, and nowhere else."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal import placeholders, project
from rehearsal.clouds.gke import access as cloud
from rehearsal.clouds.gke.versions import OFFERED, server_config
from rehearsal.placeholders import Placeholders
from rehearsal.stack import rehearsable
from stacks.clouds.gke.leftovers.google import ANSWERS, connection
from stacks.file.load import load
from stacks.findings import StackFileError
from stacks.platform import platform_of, resolve_platform
from tests.gke_changes import look_at_project
from tests.gke_plans import planned, stack
from tests.shipped import ROOT, fill

SHIPPED = ["Pulumi.gke-h200.yaml", "Pulumi.gke-tpu.yaml"]
PLATFORM = """\
config:
  llmd-pd:cluster:
    provider: gke
    machine: gke-a3-ultragpu-8g-dra
    nodes: 2
    gke: {project: <your-project>, region: us-south1, zone: us-south1-b, version: <look-it-up>, capacity: {spot: true}}
"""
CHAT = """\
config:
  llmd-pd:cluster: {provider: stack, stack: shared}
  llmd-pd:serving: {accelerator: nvidia, fabric: gke-rdma}
"""


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_is_rehearsed_as_it_is(name: str, tmp_path: Path) -> None:
    file = rehearsable(ROOT / name)
    left = Placeholders.of(file, None)
    made = project.write(tmp_path, ROOT, Path("/venv/bin/python"), file.path, file.stack, left.own)
    spec = load(made.stack_file).spec  # by every rule
    assert spec == placeholders.filled(file.spec)
    assert spec.cluster.gke is not None
    assert spec.cluster.gke.version == OFFERED["REGULAR"][0]
    assert spec.cluster.gke.capacity.reservation == "projects/rehearsal/reservations/rehearsal"
    (part,) = left.parts
    assert str(part) == (
        f"placeholders ({name} leaves them to you; here: project rehearsal, version {OFFERED['REGULAR'][0]}, "
        "capacity.reservation projects/rehearsal/reservations/rehearsal)"
    )
    assert not part.official


@pytest.mark.parametrize("channel", OFFERED)
@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_offered_will_do_for_the_machine(name: str, channel: str, tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / name).read_text())
    config["config"]["llmd-pd:cluster"]["gke"]["releaseChannel"] = channel
    path = tmp_path / name
    path.write_text(yaml.safe_dump(config))
    assert placeholders.written(rehearsable(path).spec)["version"] == OFFERED[channel][0]


def test_what_is_stated_stays(tmp_path: Path) -> None:
    path = tmp_path / SHIPPED[0]
    path.write_text((ROOT / SHIPPED[0]).read_text().replace("<your-project>", "acme-serving"))
    file = rehearsable(path)
    assert placeholders.written(file.spec) == {
        "version": OFFERED["REGULAR"][0],
        "capacity.reservation": "projects/acme-serving/reservations/rehearsal",
    }
    path.write_text(fill(path.read_text()))
    file = rehearsable(path)
    assert Placeholders.of(file, None) == Placeholders({}, {}, ())
    assert placeholders.filled(file.spec) is file.spec


def test_on_another_machine_there_is_no_cluster_to_fill_in() -> None:
    file = rehearsable(ROOT / SHIPPED[0], machine="gke-a3-ultragpu-8g-dra")
    assert Placeholders.of(file, None) == Placeholders({}, {}, ())


def test_other_problems_are_problems_still(tmp_path: Path) -> None:
    path = tmp_path / SHIPPED[0]
    path.write_text((ROOT / SHIPPED[0]).read_text().replace("us-south1-b", "us-east5-b"))
    with pytest.raises(StackFileError) as refusal:
        rehearsable(path)
    assert [found.rule for found in refusal.value.problems] == ["GKE-10"]


def test_the_stack_that_makes_the_nodes_may_have_some(tmp_path: Path) -> None:
    platform, chat = tmp_path / "Pulumi.shared.yaml", tmp_path / "Pulumi.chat.yaml"
    platform.write_text(PLATFORM)
    chat.write_text(CHAT)
    with pytest.raises(StackFileError, match="GKE-28"):
        resolve_platform(load(chat))
    file = rehearsable(chat)
    found = platform_of(file, placeholders.UNASKED)
    assert found is not None
    left = Placeholders.of(file, found)
    assert (left.own, [part.name for part in left.parts]) == ({}, ["placeholders"])
    made = project.write(tmp_path / "p", ROOT, Path("/venv/bin/python"), found.path, found.stack, left.platform)
    assert load(made.stack_file).spec == placeholders.filled(found.spec)


# --- what the pretend cloud answers in the program's look -----------------------------------------------------------------


def test_a_stack_is_offered_what_it_states(tmp_path: Path) -> None:
    """Which versions are really offered a rehearsal cannot know; one that changes later has to be of the table."""
    stated = stack(gke={"version": "1.36.7-gke.1"})
    variables = cloud.answers(planned(stated), tmp_path)
    assert variables == {ANSWERS: str(tmp_path / "google.json")}
    connect = connection(variables, 1, 1)
    assert look_at_project(stated, {}, connect) == []
    with pytest.raises(StackFileError) as refusal:
        look_at_project(stack(gke={"version": "1.36.8-gke.1"}), {}, connect)
    (found,) = refusal.value.problems
    assert found.fix.startswith(f"write 1.36.7-gke.1 or {OFFERED['REGULAR'][0]} or ")


def test_channels_are_answered_as_google_does() -> None:
    rows: list[dict[str, Any]] = server_config("STABLE", "1.34.9-gke.1")["channels"]
    assert [row["channel"] for row in rows] == [*OFFERED]
    assert all(row["defaultVersion"] in row["validVersions"] for row in rows)
    assert [row["channel"] for row in rows if "1.34.9-gke.1" in row["validVersions"]] == ["STABLE"]
