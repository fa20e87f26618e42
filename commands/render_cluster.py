"""Renders the cluster: resources of its cloud, node pools, and add-ons.

Takes the plan of a platform stack or of a stack that serves. Nothing in the files is secret, because a plan holds no credential.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from commands import console, manifests
from commands.render_files import File, of_objects, of_values
from releases.charts import HelmRelease, helm_arguments

if TYPE_CHECKING:
    from stacks.clouds.cloud import Cloud, ClusterPlan
    from stacks.clouds.resource import Ref, Resource

CLOUD, POOLS = "cluster.yaml", "node-pools.yaml"


def values_file(release: str) -> str:
    """Returns the name of the file with a release's values."""
    return f"{release}.values.yaml"


def file_names() -> tuple[str, ...]:
    """Returns the name of every file that a cluster can have, in the order of use."""
    from stacks.clouds.registry import CLOUDS

    return (CLOUD, POOLS, *(name for cloud in CLOUDS.values() for name in cloud.rendered))


ABOUT = """\
# Resources of {cloud} in the order in which they are made, with the names of Pulumi's SDK for it ({package}).
# `${{name.attribute}}` is what another resource has when it is made, `after` what is there before though no argument says so.
# No Kubernetes objects: only `pulumi up` makes them.
"""
_FIRST_KEYS = ("name", "type", "title", "args")


def cluster_files(cloud: "Cloud", plan: "ClusterPlan", read: Sequence[Mapping[str, Any]]) -> dict[str, File]:
    """Returns the files of a cluster that the stack makes, by name; none for an existing cluster. `read` are the objects of the
    plan's `files`.
    """
    files: dict[str, File] = {}
    if plan.resources:
        files[CLOUD] = _of_cloud(cloud.title, cloud.extra.package if cloud.extra else "", plan.resources)
    if plan.pools:
        files[POOLS] = of_objects([pool.manifest() for pool in plan.pools])
    if plan.objects:
        files[plan.wave_file] = of_objects(plan.objects)
    if read and plan.objects_file:
        files[plan.objects_file] = of_objects(read)
    for release in plan.charts:
        files[values_file(release.name)] = of_values(release.name, release.values, _install(release))
    return files


def _of_cloud(cloud: str, package: str, resources: "Sequence[Resource]") -> File:
    described = manifests.documents(map(_described, resources), _FIRST_KEYS)
    return File(f"{ABOUT.format(cloud=cloud, package=package)}{described}", console.count(len(resources), "resource"))


def _described(resource: "Resource") -> dict[str, Any]:
    """Returns a resource for a reviewer. Options with the engine's or the provider's defaults are left out."""
    from stacks.clouds.resource import plain

    said = {
        "after": [*resource.after],
        "protect": resource.protect,
        "ignoreChanges": [*resource.ignore_changes],
        "timeouts": {of: given for of, given in asdict(resource.timeouts).items() if given},
        "deleteBeforeReplace": resource.delete_before_replace,
    }
    return {
        "name": resource.name,
        "type": resource.type,
        "title": resource.title,
        "args": plain(resource.args, _reference),
        **{key: value for key, value in said.items() if value},
    }


def _reference(ref: "Ref") -> str:
    return f"${{{ref.resource}.{ref.attribute}}}"


def _install(release: HelmRelease) -> str:
    """Returns a comment on how to install the release from its values by hand."""
    chart = shlex.join(helm_arguments(release.chart, release.version))
    where = f"--create-namespace --namespace {release.namespace}"
    return f"# helm upgrade --install {release.name} {chart} {where} --values {values_file(release.name)}\n"
