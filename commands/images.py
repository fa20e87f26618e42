"""`llmd-pd images`: every image and chart of a stack, with its digest, and the commands that copy them to a mirror.

`stacks.images` finds the images and charts, `commands.registry` asks the registries. Nothing is copied here: crane, skopeo and
helm do that with the user's own logins.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import console
from hardware.render.images import ImageRef, has_host
from releases.charts import helm_arguments
from stacks.findings import single_line

if TYPE_CHECKING:
    from commands.registry import Answer
    from stacks.blueprint import ServingBlueprint
    from stacks.clouds.cloud import ClusterPlan
    from stacks.images import Chart, Image
    from stacks.schema import Mirror
    from stacks.spec.stack import StackSpec


class Output(StrEnum):
    """The form of the output: text for people and grep, JSON for programs, or commands of crane or skopeo to copy images."""

    TABLE = "table"
    JSON = "json"
    CRANE = "crane"
    SKOPEO = "skopeo"


class NoMirrorError(ValueError):
    """No mirror to copy to is given; the message says why and the fix."""


def images(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A stack file, Pulumi.<stack>.yaml.")],
    output: Annotated[
        Output, typer.Option(help="A table, one JSON document, or commands that copy everything.")
    ] = Output.TABLE,
    to: Annotated[
        str | None,
        typer.Option(metavar="REGISTRY", help="Where to copy to, in place of the stack's mirror.registry."),
    ] = None,
    no_digests: Annotated[bool, typer.Option("--no-digests", help="Do not ask the registries.")] = False,
) -> None:
    """List every image and chart of a stack.

    Each is listed once, with its users and its digest. If the registry does not give the digest without a login, the column says
    why. With helm on this machine the router's images come from its rendered chart, else from the release. Images and charts of
    the stack's own GKE cluster are included.

    Examples:

    \b
      llmd-pd images Pulumi.coreweave-h200.yaml
      llmd-pd images Pulumi.coreweave-h200.yaml --output json | jq -r '.images[].image'
      llmd-pd images Pulumi.coreweave-h200.yaml --output crane --to registry.example.com/llmd > copy.sh

    Exits with 1 when the stack file cannot be used, or no mirror to copy to is given; a registry that does not answer is no
    error.
    """
    from stacks.file.load import load
    from stacks.rules.mirror import MIRROR_01

    # Images of a stack that is not completely mirrored yet can be listed too.
    spec = load(file, but=frozenset({MIRROR_01.id})).spec
    mirror = _mirror(spec, to)
    copies = output in (Output.CRANE, Output.SKOPEO)
    if copies and mirror.registry is None:
        raise NoMirrorError(
            "there is no mirror to copy to, because the stack has no `llmd-pd:mirror.registry`; "
            "add it, or name a registry with --to."
        )
    every, charts = _of_stack(spec, file.parent, mirror)
    found = _pulled(every)
    if not found:
        console.note("nothing is pulled, because a platform stack serves nothing.")
    if copies:
        for command in _commands(output, found, charts, mirror, spec) if found else ():
            console.line(command)
        return
    answers = {} if no_digests else _digests(found, charts)
    if output is Output.JSON:
        console.line(json.dumps(_document(found, charts, answers), indent=2))
    elif found:
        _tables(found, charts, answers)


def _of_stack(spec: "StackSpec", base: Path, mirror: "Mirror") -> tuple[list["Image"], list["Chart"]]:
    """Returns the images and the charts of a stack."""
    from stacks import images as pulls

    upstream = pulls.without_mirror(spec, base)
    router = _router(upstream.serving, spec, base) if upstream.serving else None
    found = pulls.images(upstream, router, mirror.registry, _own_charts(upstream.cluster))
    return found, pulls.charts(upstream, mirror.charts)


def _mirror(spec: "StackSpec", to: str | None) -> "Mirror":
    """Returns the mirror to copy to: the stack's own, or `to`, with charts below it if the stack has no place for them."""
    from pydantic import ValidationError

    from stacks.schema import Mirror

    if to is None:
        return spec.mirror
    try:
        # It would mean Docker Hub, and MIRROR-01 would refuse the copied images later.
        if not has_host(to):
            raise NoMirrorError(
                f"`{to}` cannot be used for --to, because it begins with no host; write something like registry.example.com/llmd."
            )
        return Mirror(registry=to, charts=spec.mirror.charts or f"oci://{to.rstrip('/')}/charts")
    except ValidationError:
        raise NoMirrorError(
            f"`{to}` cannot be used for --to, because it is no registry and path; "
            "write something like registry.example.com/llmd, without `https://`."
        ) from None


def _router(upstream: "ServingBlueprint", spec: "StackSpec", base: Path) -> list[dict[str, Any]] | None:
    """Returns the router's objects, from upstream's chart or the mirror's copy; if neither is available, prints a note and
    returns None.
    """
    from commands.helm import ChartUnreachableError, template
    from stacks.serving.router import chart_of

    router, reasons = upstream.router, []
    for chart, version in dict.fromkeys([(router.chart, router.version), chart_of(spec, upstream.bill, base)]):
        try:
            return template(replace(router, chart=chart, version=version))
        except ChartUnreachableError as error:
            reasons.append(str(error))
    console.note(
        f"the router's images are those of release {upstream.bill.name} and not read off its chart, because {reasons[0]}."
    )
    return None


def _pulled(rows: Sequence["Image"]) -> list["Image"]:
    """Returns the images that nodes pull. Prints a note about each image that is on the node already."""
    for row in rows:
        if not row.pulled:
            users = ", ".join(row.used_by)
            console.note(f"{row.image} of {users} is not listed, because it is on the node and never pulled.")
    return [row for row in rows if row.pulled]


def _own_charts(plan: "ClusterPlan") -> dict[str, list[dict[str, Any]]]:
    """Returns the objects of the user's own charts in the cluster, by release. Prints a note if one cannot be fetched."""
    from commands.helm import ChartUnreachableError, template

    rendered = {}
    for release in plan.own_charts:
        try:
            rendered[release.name] = template(release, f"llmd-pd:{plan.charts_key}")
        except ChartUnreachableError as error:
            name = release.name
            console.note(f"the images of {name} are not listed, because only its chart names them, and {error}.")
    return rendered


def _digests(found: Sequence["Image"], charts: Sequence["Chart"]) -> "Mapping[str, Answer]":
    from commands.registry import digests

    references = [row.image for row in found] + [ref for row in charts if (ref := _reference(row))]
    with console.working("asking the registries for digests"):
        return digests(references)


def _reference(chart: "Chart") -> str | None:
    """Returns a chart's reference in its registry, None for a path. A tag cannot have a `+`; helm writes `_` instead."""
    if not chart.chart.startswith("oci://") or chart.version is None:
        return None
    return f"{chart.chart.removeprefix('oci://')}:{chart.version.replace('+', '_')}"


def _why_not(chart: "Chart") -> str:
    return "no registry" if "://" in chart.chart else "a path"


def _tables(found: Sequence["Image"], charts: Sequence["Chart"], answers: "Mapping[str, Answer]") -> None:
    goes = any(row.mirrored for row in found) or any(row.mirrored for row in charts)

    def cells(of: "Image | Chart", key: str | None, why: str = "") -> list[str]:
        answer = answers.get(key or "")
        digest = (answer.digest or answer.why) if answer else why
        return [", ".join(of.used_by), *([of.mirrored or "–"] if goes else []), *([digest] if answers else [])]

    more = ["used by", *(["mirror"] if goes else []), *(["digest"] if answers else [])]
    console.tables(
        (["image", *more], [[row.image, *cells(row, row.image)] for row in found]),
        (
            ["chart", "version", *more],
            [[row.chart, row.version or "–", *cells(row, _reference(row), _why_not(row))] for row in charts],
        ),
    )


def _document(
    found: Sequence["Image"], charts: Sequence["Chart"], answers: "Mapping[str, Answer]"
) -> dict[str, list[dict[str, Any]]]:
    def more(of: "Image | Chart", key: str | None, why: str = "") -> dict[str, Any]:
        answer = answers.get(key or "")
        digest, without = (answer.digest, answer.why) if answer else (None, why if answers else "not asked")
        return {"digest": digest, "why": without, "used_by": list(of.used_by), "mirrored": of.mirrored}

    return {
        "images": [{"image": row.image, **more(row, row.image)} for row in found],
        "charts": [
            {"chart": row.chart, "version": row.version, **more(row, _reference(row), _why_not(row))} for row in charts
        ],
    }


def _commands(
    output: Output, found: Sequence["Image"], charts: Sequence["Chart"], mirror: "Mirror", spec: "StackSpec"
) -> Iterator[str]:
    for row in found:
        if row.mirrored is None or row.mirrored == row.image:
            yield _comment(f"{row.image} is in the mirror already")
        elif not _plain(row.image):
            yield _comment(f"{row.image} is left out: it is no image reference")
        elif output is Output.CRANE:
            yield shlex.join(["crane", "copy", _source(row.image), _target(row.mirrored)])
        else:
            ends = (f"docker://{end}" for end in (_source(row.image), _target(row.mirrored)))
            yield shlex.join(["skopeo", "copy", "--all", *ends])
    if mirror.charts is None:
        yield _comment("the charts are left out, because the stack has no llmd-pd:mirror.charts")
    else:
        for chart in charts:
            yield from _chart_commands(chart, mirror.charts)
    if mirror != spec.mirror:
        yield _comment(
            f"then, in the stack file: llmd-pd:mirror: {{registry: {mirror.registry}, charts: {mirror.charts}}}"
        )


def _source(image: str) -> str:
    """Returns a reference that copy tools accept: by its digest, else by its tag, never by both."""
    ref = ImageRef.parse(image)
    _, at, digest = ref.tag.partition("@")
    return str(replace(ref, tag=f"@{digest}")) if at else str(ref)


def _target(image: str) -> str:
    """Returns the place of a copy: under its tag if it has one, so that no clean-up of a registry deletes it."""
    ref = ImageRef.parse(image)
    tag, _, _ = ref.tag.partition("@")
    return str(replace(ref, tag=tag)) if tag else str(ref)


def _chart_commands(chart: "Chart", place: str) -> Iterator[str]:
    name = chart.chart.rpartition("/")[2]
    package = name if name.endswith(".tgz") else f"{name}-{chart.version}.tgz"
    if chart.mirrored is None:
        yield _comment(f"{chart.chart} is a path")
    elif chart.mirrored == chart.chart:
        yield _comment(f"{chart.chart} is in the mirror already")
    elif not _plain(chart.chart):
        yield _comment(f"{chart.chart} is left out: it is no chart reference")
    else:
        yield shlex.join(["helm", "pull", *helm_arguments(chart.chart, chart.version)])
        if place.startswith("oci://"):
            yield shlex.join(["helm", "push", package, place])
        else:
            yield _comment(f"helm pushes to oci://… only: upload {package} to {place} as that server requires")


def _plain(name: str) -> bool:
    """Whether a shell takes a name literally. A name with special characters comes from raw values, and no registry has it."""
    return shlex.quote(name) == name


def _comment(text: str) -> str:
    return f"# {single_line(text)}"
