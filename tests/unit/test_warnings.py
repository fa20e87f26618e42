"""Warnings about stack files: one concept for every provider, the same in preview and check."""

from pathlib import Path
from typing import Any

import pytest

from stacks.clouds.coreweave.pools import FABRIC
from stacks.file.load import load
from stacks.rules.table import examine
from tests.unit.test_rules import spec

COREWEAVE: dict[str, Any] = {"accelerator": "nvidia", "fabric": "coreweave"}
POOLS: dict[str, Any] = {"provider": "coreweave", "machine": "coreweave-h200", "nodes": 2}
FILE = """\
config:
  llmd-pd:serving:
    accelerator: nvidia
    fabric: coreweave
    nodeSelector:
      team: chat
"""


@pytest.mark.parametrize(
    ("serving", "cluster"),
    [
        (COREWEAVE, {}),
        (COREWEAVE, {"machine": "coreweave-h200"}),
        ({**COREWEAVE, "nodeSelector": {"team": "chat"}}, {}),
        # Both its nodes and its pods are one's own to label, which says nothing of the fabric.
        ({**COREWEAVE, "nodeSelector": {"compute.coreweave.com/node-pool": "h200"}}, {}),
    ],
)
def test_nodes_that_are_there_may_be_on_several_fabrics(serving: dict[str, Any], cluster: dict[str, Any]) -> None:
    """CW-17."""
    given = spec(serving, cluster=cluster)
    assert examine(given).errors == ()
    (found,) = examine(given).warnings
    assert (found.rule, found.path) == ("CW-17", "llmd-pd:serving.nodeSelector")
    assert f"as `nodeSelector: {{{FABRIC}: …}}`" in found.fix


@pytest.mark.parametrize(
    ("serving", "cluster"),
    [
        *(({**COREWEAVE, "nodeSelector": {f"{prefix}.coreweave.cloud/{part}": "a"}}, {})
          for prefix in ("backend", "ib") for part in ("fabric", "superpod", "leafgroup")),
        (COREWEAVE, POOLS),
        ({**COREWEAVE, "fabric": "base"}, {"machine": "coreweave-h200"}),
        ({"accelerator": "amd", "fabric": "oci"}, {}),
        ({"accelerator": "nvidia", "fabric": "gke"}, {}),
        ({"accelerator": "nvidia"}, {}),
        (COREWEAVE, {"provider": "stack", "stack": "platform"}),
    ],
)  # fmt: skip
def test_and_of_others_there_is_nothing_to_say(serving: dict[str, Any], cluster: dict[str, Any]) -> None:
    given = spec(serving, cluster=cluster)
    assert examine(given).errors == ()
    assert examine(given).warnings == ()


def test_a_warning_of_a_file_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text(FILE)
    (found,) = load(path).warnings
    assert (found.file, found.line) == (str(path), 5)
    path.write_text(FILE[: FILE.index("    nodeSelector")])
    (found,) = load(path).warnings
    assert found.line == 2, "where the key would stand"


@pytest.mark.parametrize(
    ("version", "context", "said"),
    [
        ("v1.33", None, True),
        ("v1.34", None, False),
        ("v1.36", None, False),
        ("v1.37", None, True),
        ("v1.37", "cw", False),
        ("v1.31", "cw", False),
    ],
)
def test_a_new_cks_cluster_of_a_version_that_is_not_on_the_list(version: str, context: str | None, said: bool) -> None:
    """CW-18: CoreWeave keeps three versions, and changes them every four months; the one that exists keeps its own."""
    made = {"coreweave": {"cluster": {"zone": "US-EAST-02A", "version": version}}}
    given = spec(COREWEAVE, cluster={**POOLS, **made, **({"context": context} if context else {})})
    assert examine(given).errors == ()
    found = [*examine(given).warnings]
    assert [(one.rule, one.path) for one in found] == [("CW-18", "llmd-pd:cluster.coreweave.cluster.version")] * said
    assert all("docs.coreweave.com/products/cks/reference/cluster-components" in one.fix for one in found)
