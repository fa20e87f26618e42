"""The permissive stand-in CRDs name exactly the resources the official ones do.

Twice: as of the files upstream's tests were rendered with, and as of the published files that a set-up keeps.
"""

from pathlib import Path
from typing import Any

import pytest

from rehearsal.parts import cluster_crds
from rehearsal.parts.standins.crds import BROUGHT, GATEWAY, MONITORING, Resource
from tests.parity.reference import assert_upstreams, load

#: The official files of the rest are not among upstream's.
OFFICIAL = [*MONITORING, *(resource for resource in GATEWAY["gke"] if resource.group == "networking.gke.io")]
EXPECTED = {
    "gcpbackendpolicies": "76ad3503c1b9ae6b930cb8380aab7fe30f4a7cca42bccf2262ecefdf15b1a107",
    "healthcheckpolicies": "f9132b9a9717efc3500141ff54cd81322256a0b89a3feacc63ddd8872a5bcb7e",
    "podmonitors": "a7b13d65efed7c1c0f7e82f33ccd363daa8220ffba84c0fd71316220006e5e84",
    "servicemonitors": "1be8c82bf9cc6c8513877814fa6186a88be55477517e6b9b2850a1e188625819",
}


def facts(definition: dict[str, Any]) -> dict[str, Any]:
    """Returns the names by which clients address a resource. Categories and printed columns serve people only."""
    spec = definition["spec"]
    names = {key: value for key, value in spec["names"].items() if key != "categories"}
    versions = [(version["name"], version["served"], version["storage"]) for version in spec["versions"]]
    return {
        "name": definition["metadata"]["name"],
        "group": spec["group"],
        "names": names,
        "scope": spec["scope"],
        "versions": versions,
    }


@pytest.mark.parametrize("resource", OFFICIAL, ids=lambda resource: resource.plural)
def test_stand_in_names_what_the_official_crd_names(resource: Resource) -> None:
    ours = facts(resource.definition)

    def official(directory: Path) -> dict[str, Any]:
        (found,) = load(directory / "crds" / resource.file)
        return facts(found)

    assert_upstreams(ours, EXPECTED[resource.plural], official)


@pytest.mark.parametrize("resource", BROUGHT, ids=lambda resource: resource.plural)
def test_stand_in_names_what_the_published_crd_names(resource: Resource) -> None:
    (found,) = cluster_crds.kept([resource])
    if found.published is None:
        pytest.skip(f"the CRD of {resource.kind} is not kept on this machine (`make setup` keeps those it can have)")
    ours, theirs = facts(resource.definition), facts(found.object)
    served = [name for name, is_served, _ in theirs.pop("versions") if is_served]
    # One version, the one this project writes; the newer Istio has three of DestinationRule.
    ((version, _, _),) = ours.pop("versions")
    assert version in served
    assert ours == theirs
