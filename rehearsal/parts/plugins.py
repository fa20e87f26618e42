"""Pulumi's plugins in a rehearsal's PULUMI_HOME: official ones, and stand-ins for those that are not available.

The Kubernetes provider is always an official one (`toolchain`). The CLI skips a plugin directory that is a link, so each official
plugin gets a real directory with links in it.
"""

from pathlib import Path

from rehearsal.parts import official
from rehearsal.parts.parts import Part
from rehearsal.parts.toolchain import PROVIDER, Origin, Tool, Toolchain
from rehearsal.plugins.install import STAND_INS, StandIn, install_plugins


def plugins(home: Path, toolchain: Toolchain, python: Path, checkout: Path) -> tuple[Part, ...]:
    """Puts every plugin that the program needs into `home`; returns their parts.

    Raises:
        RehearsalError: `LLMD_PD_PLUGINS` names a directory without plugins.
    """
    provider, cli = toolchain[PROVIDER], toolchain["pulumi"]
    rows = {row.key: row for row in STAND_INS}
    parts = [_provider(provider, rows[official.KUBERNETES])]
    links = {official.KUBERNETES: provider.path}
    if (language := official.named(official.LANGUAGE)) is not None:
        links[official.LANGUAGE] = language
        parts.append(Part(f"plugin {official.LANGUAGE}", True, f"{language}, {Origin.NAMED}"))
    # An official release of the CLI contains some plugins, a build from Go modules none.
    brought = (
        [] if cli.origin is Origin.BUILT else [row.key for row in STAND_INS if row.bundled and row.key not in links]
    )
    parts += [Part(f"plugin {key}", True, f"beside the Pulumi CLI {cli.origin}") for key in brought]
    for key, program in links.items():
        _link(home, rows[key], program)
    installed = install_plugins(home, python, checkout, without={*links, *brought})
    for row in installed:
        origin = "the SDK's own, started by us" if row.launcher else ""
        parts.append(Part(f"plugin {row.key} {row.version}", row.launcher, origin))
    return tuple(parts)


def _provider(tool: Tool, row: StandIn) -> Part:
    """Returns the provider's part: its version, its origin, and a remark if it is not the version of the SDK."""
    origin = str(tool.origin) if tool.origin in (Origin.OFFICIAL, Origin.BUILT) else f"{tool.path}, {tool.origin}"
    if not tool.version.startswith(row.version):
        origin += f"; the SDK asks for {row.version}, see docs/official-parts.md"
    return Part(f"plugin {row.key} {tool.version}", True, origin)


def _link(home: Path, row: StandIn, program: Path) -> None:
    """Links an official plugin, and its helper programs in the same directory, where the CLI looks for it."""
    directory = official.directory(home, row.key, row.version)
    directory.mkdir(parents=True, exist_ok=True)
    for file in program.parent.glob(f"{official.program(row.key)}*"):
        link = directory / file.name
        link.unlink(missing_ok=True)
        link.symlink_to(file)
