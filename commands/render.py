"""`llmd-pd render`: writes all that a stack would apply as files, to review in a pull request or to pass to a GitOps tool.

Needs no cluster, no Pulumi CLI and no secret. A directory holds the render of one stack and may hold other files: only files that
an earlier render wrote there are replaced or removed.
"""

import json
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import console, manifests, render_cluster
from commands.render_files import File, of_objects, of_values
from releases.charts import helm_arguments
from releases.values import merge

if TYPE_CHECKING:
    from stacks.blueprint import Blueprint, ServingBlueprint
    from stacks.clouds.cloud import ClusterPlan
    from stacks.file.load import StackFile

#: The files of a stack's serving part, in the order of use.
SERVING = (
    "crds.yaml", "namespace.yaml", "model-server.yaml", "gateway.yaml", "router.values.yaml", "router.yaml", "monitoring.yaml",
)  # fmt: skip
#: The first words of a rendered file.
MARK = "# Rendered by `llmd-pd render`"


def file_names() -> tuple[str, ...]:
    """Returns the name of every file that a render can have."""
    return (*render_cluster.file_names(), *SERVING)


class OutputError(ValueError):
    """The output directory cannot be written; the message names the problem and the fix."""


def _named(directory: str) -> str:
    """Refuses an empty name, which would be this directory: a shell's variable that is not set."""
    if not directory:
        raise typer.BadParameter("the name is empty; name a directory")
    return directory


def render(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A stack file, Pulumi.<stack>.yaml.")],
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="DIR", callback=_named, help="Where the files go; made if absent."),
    ],
    skip_crds: Annotated[
        bool, typer.Option("--skip-crds", help="Leave out crds.yaml, which may need the network.")
    ] = False,
    skip_driver_installer: Annotated[
        bool,
        typer.Option(
            "--skip-driver-installer", help="Leave out driver-installer.yaml of a GKE cluster, which may need it too."
        ),
    ] = False,
) -> None:
    """Write all that a stack would apply as files.

    The same bytes every time: crds.yaml, namespace.yaml, model-server.yaml, router.values.yaml; gateway.yaml and monitoring.yaml
    if the stack asks for them; router.yaml if helm is installed and the chart can be fetched. If the stack makes its cluster or
    nodes: cluster.yaml with the add-ons of a GKE cluster, or node-pools.yaml. Needs no cluster, no Pulumi CLI and no secret.

    Examples:

    \b
      llmd-pd render Pulumi.coreweave-h200.yaml -o rendered/coreweave-h200
      llmd-pd render Pulumi.gke-tpu.yaml -o rendered/gke-tpu --skip-crds
      git diff --exit-code rendered/        in CI: is what was reviewed what would be applied?

    Exits with 1, and writes nothing, when the stack file, a CRD or the driver's installer cannot be used.
    """
    from stacks.file.load import load

    planned = _on_its_nodes(load(file)).facts.blueprint
    files, left_out = _cluster_files(planned, skip_driver_installer)
    source = file.name
    if planned.serving is not None:
        source = f"{file.name}, release {planned.serving.bill.name}"
        served, not_there = _files(planned, planned.serving, skip_crds)
        files, left_out = files | served, not_there | left_out
    _write_all(Path(output), source, files, left_out)


def _on_its_nodes(stack: "StackFile") -> "StackFile":
    """Returns the stack with its platform stack's nodes filled in; prints a note if that stack's file is not here."""
    from stacks.platform import platform_path, resolve_platform

    of_the_nodes = platform_path(stack)
    if of_the_nodes is None or of_the_nodes.exists():
        return resolve_platform(stack)
    console.note(
        f"the nodes belong to stack {stack.spec.cluster.stack}, whose file {of_the_nodes} is not here: "
        "what `up` adds for them is left out (with GKE's multi-networking, the NICs of each pod)."
    )
    return stack


def _write_all(output: Path, source: str, files: Mapping[str, File], left_out: Mapping[str, str]) -> None:
    """Writes the files, each with a header that names their `source`, and prints a line about each."""
    header = f"{MARK} from {source}.\n# To change it, change the stack file and render again.\n"
    removed = write(output, {name: f"{header}{file.text}" for name, file in files.items()})
    for name in file_names():
        if name in files:
            console.line(f"{output / name}: {files[name].holds}")
        elif name in left_out:
            console.line(f"{output / name}: left out, because {left_out[name]}")
        elif name in removed:
            console.line(f"{output / name}: removed, because the stack does not ask for it any more")


def _files(
    blueprint: "Blueprint", planned: "ServingBlueprint", skip_crds: bool
) -> tuple[dict[str, File], dict[str, str]]:
    """Returns the files of a stack's serving part, and for each file that is left out, the reason."""
    objects, left_out = stack_objects(planned, skip_crds, blueprint.cluster.brought_crds)
    notes = {"gateway.yaml": _implementation(planned), "model-server.yaml": _credentials(planned)}
    files = {name: of_objects(found, notes.get(name, "")) for name, found in objects.items() if found}
    files["router.values.yaml"] = of_values(planned.router.name, planned.router.values, _install(planned))
    return files, left_out


def _cluster_files(planned: "Blueprint", skip_files: bool) -> tuple[dict[str, File], dict[str, str]]:
    """Returns the files of the cluster and nodes that a stack makes, and for each file that is left out, the reason."""
    plan, objects, left_out = planned.cluster, [], {}
    if plan.objects_file is not None:
        if skip_files:
            left_out[plan.objects_file] = "of --skip-driver-installer"
        else:
            objects = _read(plan)
    return render_cluster.cluster_files(planned.cloud, plan, objects), left_out


def stack_objects(
    planned: "ServingBlueprint", skip_crds: bool, brought: frozenset[str] = frozenset()
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Returns the Kubernetes objects of each file, and for each file that is left out, the reason. `brought` are CRDs that the
    cluster keeps itself.
    """
    from commands.helm import ChartUnreachableError, template

    namespace = planned.spec.namespace
    left_out: dict[str, str] = {}
    objects = {
        "namespace.yaml": [planned.namespace()],
        "model-server.yaml": [manifests.placed(obj, namespace) for obj in planned.model_server],
        "gateway.yaml": _gateway(planned),
        "monitoring.yaml": [manifests.placed(obj, namespace) for obj in planned.monitoring],
    }
    if planned.crd_source is None:
        left_out["crds.yaml"] = "the cluster's owner installs the CRDs (`llmd-pd:crds.manage: false`)"
    elif skip_crds:
        left_out["crds.yaml"] = "of --skip-crds"
    else:
        objects["crds.yaml"] = _crds(planned, brought)
    try:
        objects["router.yaml"] = [_patched(obj, planned) for obj in template(planned.router)]
    except ChartUnreachableError as error:
        left_out["router.yaml"] = str(error)
    return objects, left_out


def _gateway(planned: "ServingBlueprint") -> list[dict[str, Any]]:
    """Returns the stack's Gateway, and its HTTPRoute if the chart cannot make it."""
    gateway = planned.gateway
    if gateway is None:
        return []
    own = [manifests.placed(obj, gateway.namespace) for obj in gateway.objects]
    return [*own, *(manifests.placed(obj, planned.spec.namespace) for obj in gateway.routes)]


def _patched(obj: dict[str, Any], planned: "ServingBlueprint") -> dict[str, Any]:
    """Returns an object of the router's chart with the stack's patches: on GKE a limit for responses and a health check."""
    ours = obj["metadata"].get("name") == planned.router.name
    patch = _policies(planned).get(obj["kind"]) if ours else None
    return obj if patch is None else merge(obj, {"spec": {"default": patch}})


def _policies(planned: "ServingBlueprint") -> dict[str, dict[str, Any]]:
    """Returns the fields of `spec.default` that the stack patches in GKE's policies, by kind."""
    gateway, patches = planned.gateway, dict[str, dict[str, Any]]()
    if gateway is not None and gateway.backend_timeout is not None:
        patches["GCPBackendPolicy"] = {"timeoutSec": gateway.backend_timeout}
    if gateway is not None and gateway.health_check is not None:
        patches["HealthCheckPolicy"] = {"config": gateway.health_check}
    return patches


def _implementation(planned: "ServingBlueprint") -> str:
    """Returns comments on how to install the gateway's implementation by hand, if the stack would install it."""
    lines = []
    for release in planned.gateway.implementation if planned.gateway else ():
        settings = [f"--set-json {shlex.quote(f'{key}={json.dumps(value)}')}" for key, value in release.values.items()]
        chart = shlex.join(helm_arguments(release.chart, release.version))
        lines.append(
            f"# helm upgrade --install {release.name} {chart} --create-namespace"
            f" {' '.join([f'--namespace {release.namespace}', *settings])}\n"
        )
    return "".join(lines)


def _credentials(planned: "ServingBlueprint") -> str:
    made = planned.made_secret
    return f"# Secret {made.name} is made of the stack's own token by `pulumi up`, and is in no file.\n" if made else ""


def _crds(planned: "ServingBlueprint", brought: frozenset[str]) -> list[dict[str, Any]]:
    """Returns the CRDs that the stack applies, without those that its own cluster brings."""
    from releases.files import SourceError

    try:
        with console.working("fetching the CRDs"):
            return [crd for crd in planned.crds() if crd["metadata"]["name"] not in brought]
    except SourceError as error:
        raise SourceError(f"{error}; or leave them out with --skip-crds") from None


def _read(plan: "ClusterPlan") -> list[dict[str, Any]]:
    from releases.files import SourceError

    try:
        with console.working("fetching the driver's installer"):
            return [*plan.files()]
    except SourceError as error:
        raise SourceError(f"{error}; or leave it out with --skip-driver-installer") from None


def _install(planned: "ServingBlueprint") -> str:
    """Returns comments on how to install the router from its values by hand, with the chart as the stack file spells it."""
    from stacks.serving.gateway import CHARTS_BACKEND_TIMEOUT

    router, stated = planned.router, planned.spec.router.chart
    chart = shlex.join(helm_arguments(stated.source if stated else router.chart, router.version))
    namespace = f"--namespace {planned.spec.namespace}"
    command = f"# helm upgrade --install {router.name} {chart} --skip-crds {namespace} --values router.values.yaml\n"
    patches = [
        f"# kubectl patch {kind.lower()} {router.name} {namespace} --type merge"
        f" --patch '{json.dumps({'spec': {'default': fields}})}'\n"
        for kind, fields in _policies(planned).items()
        # The chart's own limit is in its policy already.
        if fields != {"timeoutSec": CHARTS_BACKEND_TIMEOUT}
    ]
    return "".join([command, *patches])


def write(directory: Path, texts: Mapping[str, str]) -> Sequence[str]:
    """Replaces a directory's render by exactly these texts; returns the names of older files that were removed.

    All texts are written to temporary files before the first is renamed to its place; each rename is atomic.

    Raises:
        OutputError: the directory cannot be written, or holds a file of one of these names that no render wrote.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        older = [name for name in file_names() if _is_ours(directory / name)]
        for name in texts:
            if name not in older and (directory / name).exists():
                raise OutputError(
                    f"{directory / name} exists and does not come from `llmd-pd render`, so it is not replaced; "
                    "choose another directory with -o, or remove it."
                )
        with tempfile.TemporaryDirectory(dir=directory, prefix=".llmd-pd-") as scratch:
            for name, text in texts.items():
                (Path(scratch) / name).write_text(text, encoding="utf-8", newline="\n")
            for name in texts:
                (Path(scratch) / name).replace(directory / name)
        removed = [name for name in older if name not in texts]
        for name in removed:
            (directory / name).unlink()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"{directory} cannot be written ({reason}); choose another directory with -o.") from None
    return removed


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as content:
        return content.read(len(MARK.encode())) == MARK.encode()
