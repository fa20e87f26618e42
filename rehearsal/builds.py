"""Tools built from Go modules: the way that works wherever the Go proxy can be reached and nothing else.

Owns the tool modules under `tools/`, the version stamps, and the cache of what was built. go.sum pins every source by
its hash; the cache is keyed by go.mod, go.sum, stamps and platform, so a second clone builds nothing.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from rehearsal import golang
from rehearsal.errors import RehearsalError
from rehearsal.locks import FileLock
from rehearsal.platforms import goos_goarch
from rehearsal.report import Report
from releases.cache import cache_dir

MODULES = Path(__file__).parent / "tools"
PROGRESS_SECONDS = 20.0
# `go build -v` and `go: downloading` lines: progress, and not what went wrong.
_PROGRESS_LINE = re.compile(r"go: (downloading|finding|extracting) |[\w.~-]+(/[\w.~-]+)*$")


def _kubernetes_stamps(version: str) -> dict[str, str]:
    major, minor, _ = version.split(".")
    values = {
        "gitVersion": f"v{version}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitCommit": "",
        "gitTreeState": "archive",
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return {f"{package}.{name}": value for package in packages for name, value in values.items()}


def stamps(module: str) -> dict[str, str]:
    """Variables that official builds set by `-ldflags -X`: an unstamped kube-apiserver, helm or pulumi reports a version
    that version checks refuse. The versions themselves are read from the module's go.mod.
    """
    versions = required(module)
    match module:
        case "kubernetes":
            kubernetes = versions["k8s.io/kubernetes"]
            major, minor, _ = kubernetes.split(".")
            return {
                **_kubernetes_stamps(kubernetes),
                "helm.sh/helm/v3/internal/version.version": f"v{versions['helm.sh/helm/v3']}",
                "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": major,
                "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": minor,
            }
        case "pulumi":
            pulumi = versions["github.com/pulumi/pulumi/pkg/v3"]
            return {"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": f"v{pulumi}"}
    raise KeyError(module)


def required(module: str) -> dict[str, str]:
    """What a module under `tools/` requires: path -> version, without its `v`."""
    go_mod = (MODULES / module / "go.mod").read_text()
    return dict(re.findall(r"^\s*(?:require\s+)?(\S+) v(\S+)", go_mod, re.MULTILINE))


def directory(module: str) -> Path:
    """Where the built tools of a module lie; another go.sum, stamp or platform is another directory."""
    digest = hashlib.sha256()
    for part in ("go.mod", "go.sum"):
        digest.update((MODULES / module / part).read_bytes())
    digest.update("\n".join([_ldflags(module), *goos_goarch()]).encode())
    return cache_dir() / "tools" / f"{module}-{digest.hexdigest()[:16]}"


def _ldflags(module: str) -> str:
    # -s -w: without symbol tables, which halves the files; nobody debugs these.
    return " ".join(["-s", "-w", *(f"-X={name}={value}" for name, value in stamps(module).items())])


def build(module: str, packages: Mapping[str, str], report: Report) -> None:
    """Build the tools {name: Go package} that `directory(module)` lacks.

    Each appears there complete or not at all. Two set-ups at once build once: the second waits for the first.
    RehearsalError with the end of Go's output when it fails.
    """
    target = directory(module)
    lock = FileLock(target.with_name(f"{target.name}.lock"), "building")
    if not lock.acquire():
        report.info(f"waiting for process {lock.holder()[0]}, which is building the same tools")
        lock.acquire(float("inf"))
    try:
        missing = {name: package for name, package in packages.items() if not (target / name).exists()}
        if missing:
            go = golang.ensure(report)
            with report.step(f"building {', '.join(missing)} from Go modules (minutes when its caches are cold)"):
                _build(go, module, missing, target, report)
    finally:
        lock.release()


def _build(go: Path, module: str, packages: Mapping[str, str], target: Path, report: Report) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for abandoned in target.glob(".build-*"):  # of a set-up that was killed: we hold the lock, so nobody uses it
        shutil.rmtree(abandoned, ignore_errors=True)
    log = target / "build.log"
    with tempfile.TemporaryDirectory(dir=target, prefix=".build-", ignore_cleanup_errors=True) as temporary:
        out = Path(temporary)
        command = [str(go), "build", "-v", "-trimpath", "-ldflags", _ldflags(module), "-o", f"{out}{os.sep}"]
        with log.open("w") as output:
            process = subprocess.Popen(
                [*command, *packages.values()],
                cwd=MODULES / module,
                env=golang.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _follow(process, {name: out / go_binary(package) for name, package in packages.items()}, report)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if process.returncode:
            raise RehearsalError(
                f"building {', '.join(packages)} failed",
                f"go build ended with exit code {process.returncode}",
                f"see the last lines below and all of them in {log}",
                _tail(log),
            )
        for name, package in packages.items():
            (out / go_binary(package)).rename(target / name)


def _follow(process: subprocess.Popen[bytes], outputs: Mapping[str, Path], report: Report) -> None:
    began = time.monotonic()
    while True:
        try:
            process.wait(PROGRESS_SECONDS)
        except subprocess.TimeoutExpired:
            waiting = ", ".join(name for name, path in outputs.items() if not path.exists())
            report.info(f"still building {waiting} … {time.monotonic() - began:.0f} s")
        else:
            return


def go_binary(package: str) -> str:
    """The file name `go build` gives a package: its last element that is not a major version."""
    return re.sub(r"/v\d+$", "", package).rpartition("/")[2]


def _tail(log: Path, lines: int = 15) -> str:
    said = [line for line in log.read_text(errors="replace").splitlines() if not _PROGRESS_LINE.match(line)]
    return "\n".join(said[-lines:])
