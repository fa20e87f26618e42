"""What is to be pointed out of `cluster.gke` and is no mistake: rows like the rules', of which none refuses a stack."""

from collections.abc import Iterator

from hardware.models import DOWNLOAD_GB
from releases.gke import CUDA_13_DRIVER, SEEN_DRIVERS
from stacks.clouds.gke.quota import quota_needs
from stacks.clouds.gke.versions import parse
from stacks.rules.examined import Examined
from stacks.rules.facts import Finding, Rule

HERE = "cluster.gke"
#: A model's files, and room to fetch another revision's first ones.
_ROOM = 1.2


def _driver(subject: Examined) -> Iterator[Finding]:
    """GKE-15: images for CUDA 13 on a driver that nobody has seen, or that is too old."""
    plan, image = subject.gke, subject.served.image if subject.served else ""
    version = parse(plan.site.gke.version) or (0, 0)
    seen = SEEN_DRIVERS.get((version[0], version[1]), "")
    if plan.site.rdma != "dranet" or "cu13" not in image or int(seen.partition(".")[0] or 0) >= CUDA_13_DRIVER:
        return
    gke = f"GKE {plan.site.gke.version}"
    what = f"driver {seen} of {gke}" if seen else f"the driver of {gke} is not known"
    why = f"{image} needs {CUDA_13_DRIVER} or later, and on an older one every server ends with CUDA error 803"
    newest = max(SEEN_DRIVERS)
    known = f"GKE {newest[0]}.{newest[1]}, which has {SEEN_DRIVERS[newest]}"
    yield Finding(f"{HERE}.version", what, why, f"look at `nvidia-smi` on such a node, or use {known}")


def _short_lived(subject: Examined) -> Iterator[Finding]:
    """CAP-03: nodes that are known to go."""
    flex = subject.gke.site.gke.capacity.flex_start
    if flex:
        what = f"nodes of flex-start go after {flex.max_run_duration} seconds"
        why = "the model servers go with them, and others come when there is capacity"
        yield Finding(f"{HERE}.capacity.flexStart", what, why, "use a reservation for what has to stay")


def _quota(subject: Examined) -> Iterator[Finding]:
    """CAP-08: quota that has to be there, for what no reservation holds."""
    plan = subject.gke
    if plan.site.gke.capacity.reservation is None:
        what = f"quota is needed: {', '.join(map(str, quota_needs(plan)))}"
        why = "without it the pool fails when everything else is made"
        yield Finding(f"{HERE}.capacity", what, why, f"look at the quotas of {plan.site.project}")


def _proxies(subject: Examined) -> Iterator[Finding]:
    """NET-05: a proxy-only subnet that is smaller than Google recommends."""
    plan = subject.gke
    if plan.site.gateway and (what := plan.site.addresses.proxy_warning):
        why = "a busy Gateway runs out of proxies"
        yield Finding(f"{HERE}.network.base", what, why, "use a larger base, which cannot be changed later")


def _model_on_the_boot_disk(subject: Examined) -> Iterator[Finding]:
    """TPU-05: a boot disk that the model does not fit on."""
    plan, model = subject.gke, subject.served.model if subject.served else ""
    disk = plan.site.gke.accelerator_pool.boot_disk_gb or plan.site.pool.boot_disk_gb
    if plan.site.pool.topology and DOWNLOAD_GB.get(model, 0) * _ROOM > disk:
        what, why = f"a boot disk of {disk} GB", f"{model} is {DOWNLOAD_GB[model]} GB, and TPU hosts have no other disk"
        yield Finding(
            f"{HERE}.acceleratorPool.bootDiskGb", what, why, f"leave it out for {plan.site.pool.boot_disk_gb}"
        )


def _brought(subject: Examined) -> Iterator[Finding]:
    """GKE-16: a CRD from the stack's own directory that the cluster keeps itself."""
    crds, version = subject.spec.crds, subject.gke.site.gke.version
    if crds.manage and crds.directory and subject.gke.brought_crds:
        names = " and ".join(sorted(subject.gke.brought_crds))
        what, why = f"{names} is not taken from {crds.directory}", f"GKE {version} keeps that CRD itself"
        yield Finding("crds.directory", what, why, "leave the directory out, or see that GKE's will do")


WARNINGS: tuple[Rule[Examined], ...] = (
    Rule("GKE-15", "NVIDIA's table of CUDA and drivers", _driver),
    Rule("GKE-16", "GKE docs", _brought),
    Rule("CAP-03", "GKE docs", _short_lived),
    Rule("CAP-08", "GKE docs", _quota),
    Rule("NET-05", "GKE docs", _proxies),
    Rule("TPU-05", "GKE docs", _model_on_the_boot_disk),
)
