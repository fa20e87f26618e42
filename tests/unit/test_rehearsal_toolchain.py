"""Which tools are taken from where: PATH, the cache, the official download, a build."""

import importlib.metadata
import io
import os
import re
from pathlib import Path

import pytest

from rehearsal.errors import RehearsalError
from rehearsal.parts import builds, downloads, official, toolchain
from rehearsal.parts.toolchain import PROVIDER, VERSIONS, WANTED, Origin, ensure, on_path
from rehearsal.report import PlainReport


def program(path: Path, prints: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def path_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An otherwise empty PATH and an empty cache."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setenv("LLMD_PD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi"))
    for name in ("LLMD_PD_OFFLINE", "LLMD_PD_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    return directory


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, set[str]]]:
    """Builds that only leave files, and the record of what was asked for."""
    asked: list[tuple[str, set[str]]] = []

    def build(wanted: dict[str, dict[str, str]], _report: PlainReport) -> None:
        for module, packages in wanted.items():
            asked.append((module, set(packages)))
            for name in packages:
                program(builds.directory(module) / name, "built")

    monkeypatch.setattr(builds, "build", build)
    return asked


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Downloads that only leave files, and the record of what was asked for."""
    asked: list[str] = []

    def fetch(tool: str, version: str) -> None:
        asked.append(tool)
        program(downloads.directory(tool, version) / tool, version)

    monkeypatch.setattr(downloads, "fetch", fetch)
    return asked


def nothing_answers(_url: str) -> bool:
    return False


def report() -> PlainReport:
    return PlainReport(io.StringIO())


def test_the_versions_are_those_of_the_tool_modules() -> None:
    def pinned(module: str, path: str) -> str:
        match = re.search(
            rf"^\s*{re.escape(path)} v(\S+)", (builds.MODULES / module / "go.mod").read_text(), re.MULTILINE
        )
        assert match, path
        return match[1]

    assert {
        "etcd": pinned("kubernetes", "go.etcd.io/etcd/server/v3"),
        "kubernetes": pinned("kubernetes", "k8s.io/kubernetes"),
        "kwok": pinned("kubernetes", "sigs.k8s.io/kwok"),
        "helm": pinned("kubernetes", "helm.sh/helm/v3"),
        "pulumi": pinned("pulumi", "github.com/pulumi/pulumi/pkg/v3"),
        "pulumi-kubernetes": importlib.metadata.version("pulumi-kubernetes"),
    } == VERSIONS


def test_every_tool_is_one_of_its_module_and_our_version_is_accepted() -> None:
    for row in WANTED.values():
        assert row.package in (builds.MODULES / row.module / "go.mod").read_text()
        assert row.at_least <= tuple(map(int, row.version.split("."))) < row.below
        assert row.name in downloads.SOURCES


# What the programs print, as they were seen to.
@pytest.mark.parametrize(
    ("name", "prints", "version"),
    [
        ("etcd", "etcd Version: 3.6.14", "3.6.14"),
        ("etcd", "etcd Version: 3.5.21", None),
        ("kube-apiserver", "Kubernetes v1.36.0", "1.36.0"),
        ("kube-apiserver", "Kubernetes v1.35.4", None),
        ("kube-apiserver", "Kubernetes v1.37.0", None),
        ("kubectl", "Client Version: v1.37.2", "1.37.2"),
        ("kubectl", "Client Version: v1.35.0", "1.35.0"),
        ("kubectl", "Client Version: v1.34.9", None),
        ("kubectl", "Client Version: v1.38.0", None),
        ("kwokctl", "kwokctl version v0.8.3 go1.26.8 (linux/amd64)", "0.8.3"),
        ("kwokctl", "kwokctl version v0.7.0 go1.26.8 (linux/amd64)", None),
        ("helm", "v3.16.0+gabcdef0", "3.16.0"),
        ("helm", "v4.0.1+gabcdef0", None),
        ("helm", "no version", None),
    ],
)
def test_path_counts_at_an_accepted_version(path_dir: Path, name: str, prints: str, version: str | None) -> None:
    program(path_dir / name, prints)
    tool = on_path(WANTED[name])
    assert (tool and tool.version) == version
    assert tool is None or (tool.path, tool.origin) == (path_dir / name, Origin.PATH)


def test_a_tool_that_fails_is_not_accepted(path_dir: Path) -> None:
    program(path_dir / "helm", "v3.20.0").write_text("#!/bin/sh\necho v3.20.0\nexit 1\n")
    assert on_path(WANTED["helm"]) is None


@pytest.mark.parametrize(
    ("prints", "accepted"), [("v3.272.0", True), ("v3.300.1", True), ("v3.271.9", False), ("v4.0.0", False)]
)
def test_pulumi_on_path_needs_its_language_host_beside_it(path_dir: Path, prints: str, accepted: bool) -> None:
    program(path_dir / "pulumi", prints)
    assert on_path(WANTED["pulumi"]) is None
    program(path_dir / "pulumi-language-python", "")
    assert (on_path(WANTED["pulumi"]) is not None) is accepted


def test_links_into_our_cache_are_not_on_path(path_dir: Path, tmp_path: Path) -> None:
    (path_dir / "helm").symlink_to(program(tmp_path / "cache" / "tools" / "helm", "v3.21.4"))
    assert on_path(WANTED["helm"]) is None


def test_where_nothing_answers_everything_is_built_in_one_go_per_module(
    path_dir: Path, built: list[tuple[str, set[str]]], fetched: list[str]
) -> None:
    program(path_dir / "helm", "v3.19.0")
    tools = ensure(report(), nothing_answers)
    others = {"helm", "pulumi", PROVIDER}
    assert built == [("kubernetes", set(WANTED) - others), ("pulumi", {"pulumi"}), ("kubernetes-provider", {PROVIDER})]
    assert fetched == []
    assert set(tools) == set(WANTED)
    assert {tool.origin for name, tool in tools.items() if name != "helm"} == {Origin.BUILT}
    assert tools["helm"].origin is Origin.PATH
    assert tools["etcd"].version == "3.6.14"
    assert tools[PROVIDER].version.startswith("4.0.0-20260115")


@pytest.mark.usefixtures("path_dir")
def test_where_every_host_answers_everything_is_downloaded_once(
    built: list[tuple[str, set[str]]], fetched: list[str]
) -> None:
    probed: list[str] = []
    tools = ensure(report(), lambda url: probed.append(url) is None)
    assert set(fetched) == set(WANTED)
    assert built == []
    assert {tool.origin for tool in tools.values()} == {Origin.OFFICIAL}
    assert len(probed) == len({re.sub(r"(https://[^/]+).*", r"\1", url) for url in probed}), "a host was asked twice"

    def no_more(url: str) -> bool:
        raise AssertionError(url)

    assert ensure(report(), no_more) == tools


@pytest.mark.usefixtures("path_dir")
def test_each_host_decides_for_its_own_tools(built: list[tuple[str, set[str]]], fetched: list[str]) -> None:
    ensure(report(), lambda url: "dl.k8s.io" in url)
    assert set(fetched) == {"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"}
    assert built == [
        ("kubernetes", {"etcd", "kwok", "kwokctl", "helm"}),
        ("pulumi", {"pulumi"}),
        ("kubernetes-provider", {PROVIDER}),
    ]


@pytest.mark.usefixtures("path_dir")
def test_a_cached_build_spares_the_network_but_for_tools_whose_release_is_more(
    built: list[tuple[str, set[str]]], fetched: list[str]
) -> None:
    ensure(report(), nothing_answers)
    built.clear()
    tools = ensure(report(), lambda _url: True)
    assert fetched == ["pulumi", PROVIDER]
    assert built == []
    assert tools["kubectl"].origin is Origin.BUILT
    assert tools["pulumi"].origin is Origin.OFFICIAL


@pytest.mark.usefixtures("path_dir", "built")
def test_offline_asks_no_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(toolchain.OFFLINE, "1")
    probed: list[str] = []
    ensure(report(), lambda url: probed.append(url) is None)
    assert probed == []


@pytest.mark.usefixtures("path_dir")
def test_a_download_that_fails_is_said_and_built_instead(
    built: list[tuple[str, set[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(tool: str, version: str) -> None:
        raise RehearsalError(f"the official {tool} {version} could not be downloaded", "404", "fix")

    monkeypatch.setattr(downloads, "fetch", fetch)
    out = io.StringIO()
    tools = ensure(PlainReport(out), lambda url: "get.helm.sh" in url)
    assert "the official helm 3.21.4 could not be downloaded: 404; building it instead." in out.getvalue()
    assert tools["helm"].origin is Origin.BUILT
    assert "helm" in built[0][1]


def test_the_first_time_it_is_said_what_is_to_come(path_dir: Path, built: list[tuple[str, set[str]]]) -> None:
    program(path_dir / "helm", "v3.19.0")
    out = io.StringIO()
    ensure(PlainReport(out), nothing_answers)
    (names,) = re.findall("not on this machine yet: (.*)", out.getvalue())
    assert set(names.split(", ")) == set(WANTED) - {"helm"}
    assert f"built from Go modules: {toolchain.COLD_MINUTES} on 2 cores, once per user" in out.getvalue()
    again = io.StringIO()
    ensure(PlainReport(again), nothing_answers)
    assert "not on this machine yet" not in again.getvalue()
    assert built


@pytest.mark.usefixtures("path_dir", "built")
def test_the_clis_own_plugin_is_used_at_the_version_the_sdk_asks_for(tmp_path: Path) -> None:
    version = importlib.metadata.version("pulumi-kubernetes")
    home = tmp_path / "pulumi" / "plugins"
    program(home / "resource-kubernetes-v4.0.1" / PROVIDER, "older")
    assert ensure(report(), nothing_answers)[PROVIDER].origin is Origin.BUILT
    newest = program(home / f"resource-kubernetes-v{version}" / PROVIDER, "newest")
    tool = ensure(report(), nothing_answers)[PROVIDER]
    assert (tool.path, tool.version, tool.origin) == (newest, version, Origin.CLI)


@pytest.mark.usefixtures("path_dir", "built")
def test_the_environment_of_another_rehearsal_is_not_the_clis_own(tmp_path: Path) -> None:
    """Its plugin directory holds a link into the cache."""
    ours = ensure(report(), nothing_answers)[PROVIDER].path
    link = tmp_path / "pulumi" / "plugins" / f"resource-kubernetes-v{VERSIONS['pulumi-kubernetes']}" / PROVIDER
    link.parent.mkdir(parents=True)
    link.symlink_to(ours)
    assert ensure(report(), nothing_answers)[PROVIDER].origin is Origin.BUILT


@pytest.mark.usefixtures("path_dir", "built")
def test_a_plugin_that_is_named_is_used_before_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMD_PD_PLUGINS", str(tmp_path / "own"))
    monkeypatch.setattr(official, "said_version", lambda _: "4.32.0")
    own = program(tmp_path / "own" / PROVIDER, "")
    program(tmp_path / "pulumi" / "plugins" / f"resource-kubernetes-v{VERSIONS['pulumi-kubernetes']}" / PROVIDER, "")
    tool = ensure(report(), nothing_answers)[PROVIDER]
    assert (tool.path, tool.version, tool.origin) == (own, "4.32.0", Origin.NAMED)


@pytest.mark.usefixtures("path_dir", "built")
@pytest.mark.parametrize("holds", [None, "pulumi-resource-gcp", "kubernetes"])
def test_a_directory_without_plugins_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holds: str | None
) -> None:
    monkeypatch.setenv("LLMD_PD_PLUGINS", str(tmp_path / "own"))
    if holds:
        program(tmp_path / "own" / holds, "")
    with pytest.raises(RehearsalError, match="names no official plugin"):
        ensure(report(), nothing_answers)


@pytest.mark.usefixtures("path_dir", "built")
def test_what_is_no_plugin_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMD_PD_PLUGINS", str(tmp_path / "own"))
    monkeypatch.setenv("PATH", os.defpath)
    program(tmp_path / "own" / PROVIDER, "hello")
    with pytest.raises(RehearsalError, match="pulumi-resource-kubernetes is no plugin of Pulumi's"):
        ensure(report(), nothing_answers)
