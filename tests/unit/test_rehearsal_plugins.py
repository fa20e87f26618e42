"""Plugins of a rehearsal: official ones linked where the CLI looks for them, and the report on each."""

import sys
from pathlib import Path

import pytest

from rehearsal.parts import official
from rehearsal.parts.plugins import plugins
from rehearsal.parts.toolchain import PROVIDER, VERSIONS, Origin, Tool, Toolchain
from rehearsal.plugins.install import STAND_INS

ROWS = {row.key: row for row in STAND_INS}
SDK = VERSIONS["pulumi-kubernetes"]


@pytest.fixture(autouse=True)
def _nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(official.PLUGINS, raising=False)


def tools(directory: Path, version: str, origin: Origin, cli: Origin = Origin.BUILT) -> Toolchain:
    directory.mkdir(parents=True, exist_ok=True)
    provider = directory / PROVIDER
    provider.write_bytes(b"\x7fELF")
    provider.chmod(0o755)
    return {
        PROVIDER: Tool(PROVIDER, provider, version, origin),
        "pulumi": Tool("pulumi", directory / "pulumi", "3.274.1", cli),
    }


def said(home: Path, toolchain: Toolchain) -> dict[str, tuple[bool, str]]:
    found = plugins(home, toolchain, Path(sys.executable), Path.cwd())
    return {part.name: (part.official, part.origin) for part in found}


def test_the_cli_finds_a_real_directory_with_a_linked_file(tmp_path: Path) -> None:
    """The CLI skips a directory that is a link (`DirEntry.IsDir`), and tries the network."""
    toolchain = tools(tmp_path / "own", SDK, Origin.CLI)
    for _ in range(2):  # a kept rehearsal is set up anew over its own plugins
        said(tmp_path / "home", toolchain)
    directory = official.directory(tmp_path / "home", official.KUBERNETES, SDK)
    assert directory.is_dir()
    assert not directory.is_symlink()
    assert (directory / PROVIDER).resolve() == toolchain[PROVIDER].path
    assert b"stand-in" not in (directory / PROVIDER).read_bytes()


@pytest.mark.parametrize(
    ("version", "origin", "expected"),
    [
        (SDK, Origin.OFFICIAL, "official download"),
        (SDK, Origin.CLI, "{path}, in the Pulumi CLI's plugin directory"),
        (
            "4.0.0-20260115033456-f47bc2d6f199",
            Origin.BUILT,
            f"built from Go modules; the SDK asks for {SDK}, see docs/official-parts.md",
        ),
        (
            "4.32.0",
            Origin.NAMED,
            f"{{path}}, named by LLMD_PD_PLUGINS; the SDK asks for {SDK}, see docs/official-parts.md",
        ),
    ],
)
def test_it_is_said_what_was_loaded_and_from_where(tmp_path: Path, version: str, origin: Origin, expected: str) -> None:
    toolchain = tools(tmp_path / "own", version, origin)
    path = toolchain[PROVIDER].path
    assert said(tmp_path / "home", toolchain)[f"plugin resource-kubernetes {version}"] == (
        True,
        expected.format(path=path),
    )


def test_no_stand_in_takes_the_kubernetes_providers_place(tmp_path: Path) -> None:
    found = said(tmp_path / "home", tools(tmp_path / "own", SDK, Origin.BUILT))
    assert [name for name, (official_part, _) in found.items() if "kubernetes" in name and not official_part] == []


def test_an_official_language_host_is_linked_with_its_helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "named"
    own.mkdir()
    for name in ("pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-gcp"):
        (own / name).write_text("")
        (own / name).chmod(0o755)
    monkeypatch.setenv(official.PLUGINS, str(own))
    found = said(tmp_path / "home", tools(tmp_path / "cache", SDK, Origin.BUILT))
    assert found["plugin language-python"] == (True, f"{own}/pulumi-language-python, named by LLMD_PD_PLUGINS")
    directory = official.directory(tmp_path / "home", official.LANGUAGE, ROWS[official.LANGUAGE].version)
    assert sorted(file.name for file in directory.iterdir()) == [
        "pulumi-language-python",
        "pulumi-language-python-exec",
    ]
    for pretend in (tmp_path / "home" / "plugins").glob(
        "resource-gcp-*/pulumi-resource-gcp"
    ):  # where the extra is installed
        assert b"stand-in" in pretend.read_bytes()


def test_an_official_cli_brings_its_own(tmp_path: Path) -> None:
    found = said(tmp_path / "home", tools(tmp_path / "own", SDK, Origin.BUILT, cli=Origin.OFFICIAL))
    assert found["plugin language-python"] == (True, "beside the Pulumi CLI official download")
