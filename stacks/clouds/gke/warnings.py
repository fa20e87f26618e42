"""Checks of a valid `cluster.gke` with severity warning; their rows are in `stacks.clouds.gke.rules`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hardware.models import DOWNLOAD_GB
from releases.gke import CUDA_13_DRIVER, SEEN_DRIVERS
from stacks.clouds.gke.change import plan_of
from stacks.clouds.gke.quota import quota_needs
from stacks.clouds.gke.versions import parse
from stacks.findings import Finding

if TYPE_CHECKING:
    from stacks.rules.facts import Facts


HERE = ("cluster", "gke")
#: The factor for a disk: a model's files, and room for the first files of another revision.
_ROOM = 1.2


def driver(facts: "Facts") -> Iterator[Finding]:
    """GKE-15: images for CUDA 13 on a driver that is unknown or too old."""
    plan, image = plan_of(facts), facts.workload.image
    version = parse(plan.settings.gke.version) or (0, 0)
    seen = SEEN_DRIVERS.get((version[0], version[1]), "")
    if plan.settings.rdma != "dranet" or "cu13" not in image or int(seen.partition(".")[0] or 0) >= CUDA_13_DRIVER:
        return
    gke = f"GKE {plan.settings.gke.version}"
    what = f"driver {seen} of {gke}" if seen else f"the driver of {gke} is not known"
    why = f"{image} needs {CUDA_13_DRIVER} or later, and on an older one every server ends with CUDA error 803"
    newest = max(SEEN_DRIVERS)
    known = f"GKE {newest[0]}.{newest[1]}, which has {SEEN_DRIVERS[newest]}"
    yield Finding(at=(*HERE, "version"), what=what, why=why, fix=f"look at `nvidia-smi` on such a node, or use {known}")


def short_lived(facts: "Facts") -> Iterator[Finding]:
    """CAP-09: nodes with a limited life."""
    flex = plan_of(facts).settings.gke.capacity.flex_start
    if flex:
        what = f"nodes of flex-start are deleted after {flex.max_run_duration} seconds"
        why = "the model servers stop with them, and new nodes come only when there is capacity"
        yield Finding(
            at=(*HERE, "capacity", "flexStart"),
            what=what,
            why=why,
            fix="use a reservation for a service that must stay up",
        )


def quota(facts: "Facts") -> Iterator[Finding]:
    """CAP-08: quota that the project needs for nodes without a reservation."""
    plan = plan_of(facts)
    if plan.settings.gke.capacity.reservation is None:
        what = f"quota is needed: {', '.join(map(str, quota_needs(plan)))}"
        why = "without it the pool fails when everything else is made"
        yield Finding(at=(*HERE, "capacity"), what=what, why=why, fix=f"look at the quotas of {plan.settings.project}")


def proxies(facts: "Facts") -> Iterator[Finding]:
    """NET-09: a proxy-only subnet smaller than Google recommends."""
    plan = plan_of(facts)
    if plan.settings.gateway and (what := plan.settings.addresses.proxy_warning):
        why = "a busy Gateway runs out of proxies"
        yield Finding(
            at=(*HERE, "network", "base"), what=what, why=why, fix="use a larger base, which cannot be changed later"
        )


def model_on_the_boot_disk(facts: "Facts") -> Iterator[Finding]:
    """TPU-05: a boot disk too small for the model."""
    plan, model = plan_of(facts), facts.workload.model
    disk = plan.settings.gke.accelerator_pool.boot_disk_gb or plan.settings.pool.boot_disk_gb
    if plan.settings.pool.topology and DOWNLOAD_GB.get(model, 0) * _ROOM > disk:
        what, why = f"a boot disk of {disk} GB", f"{model} is {DOWNLOAD_GB[model]} GB, and TPU hosts have no other disk"
        yield Finding(
            at=(*HERE, "acceleratorPool", "bootDiskGb"),
            what=what,
            why=why,
            fix=f"leave it out for {plan.settings.pool.boot_disk_gb}",
        )


def brought(facts: "Facts") -> Iterator[Finding]:
    """GKE-16: a CRD in the stack's own directory that the cluster keeps itself."""
    plan, crds = plan_of(facts), facts.spec.crds
    if crds.manage and crds.directory and plan.brought_crds:
        names = " and ".join(sorted(plan.brought_crds))
        what, why = (
            f"{names} is not taken from {crds.directory}",
            f"GKE {plan.settings.gke.version} keeps that CRD itself",
        )
        yield Finding(
            at=("crds", "directory"), what=what, why=why, fix="leave the directory out, or see that GKE's will do"
        )
