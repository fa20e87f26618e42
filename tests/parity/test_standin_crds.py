"""The permissive stand-in CRDs name exactly the resources the official ones do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rehearsal.standins.crds import INFERENCE, MONITORING, Resource, write
from releases import RELEASES, release
from tests.parity.reference import assert_upstreams, load

RESOURCES = (*INFERENCE, *MONITORING)
EXPECTED = {
    "inferencepools": "337f72e3637fb541ecfb5f489b3ce753fb3cc8e4ed621dfdc4d9288e90036eb8",
    "inferencemodelrewrites": "1478a298903d610f5a3400ca5786d13fea8e96871b55bc42c9467ecad681921d",
    "inferenceobjectives": "58bafff9fd55c0cd0a9e59fded9406005cef35d8cba488215dd88cfbbdc61276",
    "inferencepoolimports": "887bc5e1b15f74e002520e46751c821f7dba5c9d201f26405d130d47b3f54cb5",
    "podmonitors": "a7b13d65efed7c1c0f7e82f33ccd363daa8220ffba84c0fd71316220006e5e84",
    "servicemonitors": "1be8c82bf9cc6c8513877814fa6186a88be55477517e6b9b2850a1e188625819",
}


def facts(definition: dict[str, Any]) -> dict[str, Any]:
    """What clients address a resource by. Categories and printed columns serve people only."""
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


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.plural)
def test_stand_in_names_what_the_official_crd_names(resource: Resource) -> None:
    ours = facts(resource.definition)

    def official(directory: Path) -> dict[str, Any]:
        (found,) = load(directory / "crds" / resource.file)
        return facts(found)

    assert_upstreams(ours, EXPECTED[resource.plural], official)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.plural)
def test_stand_in_says_what_it_is_where_the_api_server_asks(resource: Resource) -> None:
    annotations = resource.definition["metadata"]["annotations"]
    approval = annotations.get("api-approved.kubernetes.io")
    assert approval == ("unapproved, stand-in of a rehearsal" if resource.group.endswith(".k8s.io") else None)


@pytest.mark.parametrize("name", RELEASES)
def test_every_release_has_its_stand_ins(name: str, tmp_path: Path) -> None:
    directory = write(tmp_path / "new" / "crds", release(name))
    assert {path.name for path in directory.iterdir()} == {crd.file for crd in release(name).crds}


def test_a_file_without_a_stand_in_is_named(tmp_path: Path) -> None:
    bill = release("guide-2026-05")
    unknown = replace(bill, crds=(replace(bill.crds[0], file="example.test_things.yaml"),))
    with pytest.raises(LookupError, match=r"example\.test_things\.yaml"):
        write(tmp_path / "crds", unknown)
    assert not (tmp_path / "crds").exists()
