"""Tools built from Go modules: for machines that reach a Go module proxy and no publisher of the tools.

Owns the tool modules under `tools/`, the version stamps, and the cache of builds. go.sum pins every source by its hash; the
cache is keyed by go.mod, go.sum, our own sources, stamps and platform, so a second clone builds nothing.
"""

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from hardware.bill import InModule
from rehearsal.control_plane.locks import holder, named_lock
from rehearsal.errors import RehearsalError, UnavailableError
from rehearsal.parts import golang
from rehearsal.parts.platforms import goos_goarch
from rehearsal.report import Report
from releases.files import cache_dir

MODULES = Path(__file__).parents[1] / "tools"
PROGRESS_SECONDS = 20.0
POLL_SECONDS = 0.1
#: The module of the official Kubernetes provider, of which one version is served, and the files that its main package embeds.
KUBERNETES_PROVIDER = "github.com/pulumi/pulumi-kubernetes/provider/v4"
EMBEDDED: Mapping[str, Mapping[str, InModule]] = {
    "kubernetes-provider": {
        name: InModule(KUBERNETES_PROVIDER, f"cmd/pulumi-resource-kubernetes/{name}")
        for name in ("schema.json", "terraform-mapping.json")
    }
}
"""By tool module: the files that its program embeds and another module contains."""
#: Flags of the compiler by pattern of packages; the last pattern that matches a package counts. No debug information, which the
#: linker would drop. The provider links the whole Go SDK, a type for each kind of Kubernetes, for components that no stack here
#: uses: it is not inlined. That saves 40 % of the compiler's time on the SDK and 15 % elsewhere (measured on one package each).
COMPILER_FLAGS: Mapping[str, str] = {
    "all": "-dwarf=false",
    "github.com/pulumi/pulumi-kubernetes/sdk/v4/...": "-dwarf=false -l",
}
# `go build -v` and `go: downloading` lines: progress, no errors.
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
    """Returns the variables that official builds set by `-ldflags -X`, with the versions in the module's go.mod.

    Version checks refuse the version that an unstamped kube-apiserver, helm or pulumi reports.
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
        case "kubernetes-provider":
            return {f"{KUBERNETES_PROVIDER}/pkg/version.Version": _as_the_sdk_asks(versions[KUBERNETES_PROVIDER])}
    raise KeyError(module)


def _as_the_sdk_asks(version: str) -> str:
    """Returns the version of the SDK, with the module's date as build metadata, which comparisons of versions ignore.

    Otherwise the engine would warn at each run that the provider is older than the SDK; a rehearsal reports it once.
    """
    _, date, _ = version.split("-")
    return f"{importlib.metadata.version('pulumi-kubernetes')}+module.{date}"


def required(module: str) -> dict[str, str]:
    """Returns the requirements of a module under `tools/`: path -> version, without its `v`."""
    go_mod = (MODULES / module / "go.mod").read_text()
    return dict(re.findall(r"^\s*(?:require\s+)?(\S+) v(\S+)", go_mod, re.MULTILINE))


def directory(module: str) -> Path:
    """Returns the directory of a module's built tools; another go.sum, source, stamp or platform has another directory."""
    digest = hashlib.sha256()
    for part in sorted((MODULES / module).glob("*")):
        if part.name in ("go.mod", "go.sum") or part.suffix == ".go":
            digest.update(part.read_bytes())
    digest.update("\n".join([*_flags(module), *goos_goarch()]).encode())
    return cache_dir() / "tools" / f"{module}-{digest.hexdigest()[:16]}"


def _flags(module: str) -> list[str]:
    # -s -w: without symbol tables, which halves the size of the files; these are not debugged.
    linker = " ".join(["-s", "-w", *(f"-X={name}={value}" for name, value in stamps(module).items())])
    return ["-ldflags", linker, *(f"-gcflags={packages}={flags}" for packages, flags in COMPILER_FLAGS.items())]


def build(wanted: Mapping[str, Mapping[str, str]], report: Report) -> None:
    """Builds the wanted tools that `directory(module)` lacks: module -> {name: Go package}. Modules are built side by side.

    Each tool appears complete or not at all. Of two set-ups at once the second waits for the first and builds nothing.

    Raises:
        RehearsalError: a build fails; with the end of Go's output.
    """
    with ExitStack() as held:
        for module in sorted(wanted):  # in a fixed order, so that two set-ups never wait for each other
            file = directory(module).with_name(f"{directory(module).name}.lock")
            lock = named_lock(file, "building")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                report.info(f"waiting for process {holder(file)[0]}, which is building the same tools")
                lock.acquire()
            held.callback(lock.release)
        missing = {
            module: {name: package for name, package in packages.items() if not (directory(module) / name).exists()}
            for module, packages in wanted.items()
        }
        missing = {module: packages for module, packages in missing.items() if packages}
        if missing:
            go = golang.ensure(report)
            names = ", ".join(name for packages in missing.values() for name in packages)
            with (
                report.step(f"building {names} from Go modules (minutes when its caches are cold)"),
                ExitStack() as running,
            ):
                builds = [
                    running.enter_context(_Build(go, module, packages, directory(module)))
                    for module, packages in missing.items()
                ]
                _follow(builds, report)
                # The first failure ends the wait for the others; builds that were done by then are kept.
                ended = [one for one in builds if one.process.returncode is not None]
                for one in sorted(ended, key=lambda one: one.process.returncode != 0):
                    one.keep()


@dataclass
class _Build:
    """One `go build` of a module's tools: a context manager that runs it; `keep` puts its tools in place."""

    go: Path
    module: str
    packages: Mapping[str, str]
    target: Path

    def __enter__(self) -> "_Build":
        self.target.mkdir(parents=True, exist_ok=True)
        for abandoned in self.target.glob(".build-*"):  # of a set-up that was killed: this process holds the lock
            shutil.rmtree(abandoned, ignore_errors=True)
        self._out = tempfile.TemporaryDirectory(dir=self.target, prefix=".build-", ignore_cleanup_errors=True)
        try:
            self._start()
        except BaseException:
            self._out.cleanup()
            raise
        return self

    def _start(self) -> None:
        command = [str(self.go), "build", "-v", "-trimpath", *_flags(self.module), *self._overlay()]
        with self._log.open("w") as output:
            self.process = subprocess.Popen(
                [*command, "-o", f"{self._out.name}{os.sep}", *self.packages.values()],
                cwd=MODULES / self.module,
                env=golang.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        self._out.cleanup()

    @property
    def _log(self) -> Path:
        return self.target / "build.log"

    def _overlay(self) -> list[str]:
        """Returns the flags for files that the program embeds: an overlay, so that nothing is written into the checkout."""
        places = {}
        for name, place in EMBEDDED.get(self.module, {}).items():
            try:
                content = golang.module(self.go, MODULES / self.module, place.module)
            except UnavailableError as error:
                raise RehearsalError(
                    f"building {', '.join(self.packages)} failed",
                    f"Go module {place.module} {error}",
                    "see that the Go module proxy can be reached (`go env GOPROXY`)",
                ) from None
            places[str(MODULES / self.module / name)] = str(content / place.path)
        if not places:
            return []
        overlay = Path(self._out.name) / "overlay.json"
        overlay.write_text(json.dumps({"Replace": places}))
        return ["-overlay", str(overlay)]

    def waits_for(self) -> list[str]:
        """Returns the tools that are not built yet."""
        return [name for name, package in self.packages.items() if not self._built(package).exists()]

    def _built(self, package: str) -> Path:
        return Path(self._out.name) / go_binary(package)

    def keep(self) -> None:
        """Moves the built tools into their directory.

        Raises:
            RehearsalError: the build failed.
        """
        if self.process.returncode:
            raise RehearsalError(
                what=f"building {', '.join(self.packages)} failed",
                why=f"go build ended with exit code {self.process.returncode}",
                fix=f"see the last lines below and all of them in {self._log}",
                details=_tail(self._log),
            )
        for name, package in self.packages.items():
            self._built(package).rename(self.target / name)


def _follow(builds: Sequence[_Build], report: Report) -> None:
    """Waits until all have ended or one has failed; reports every `PROGRESS_SECONDS` which tools are missing."""
    began = said = time.monotonic()
    while any(one.process.poll() is None for one in builds) and not any(one.process.poll() for one in builds):
        time.sleep(POLL_SECONDS)
        if time.monotonic() - said >= PROGRESS_SECONDS:
            said = time.monotonic()
            waiting = ", ".join(name for one in builds for name in one.waits_for())
            report.info(f"still building {waiting} … {said - began:.0f} s")


def go_binary(package: str) -> str:
    """Returns the file name that `go build` gives a package: its last element that is not a major version."""
    return re.sub(r"/v\d+$", "", package).rpartition("/")[2]


def _tail(log: Path, lines: int = 15) -> str:
    said = [line for line in log.read_text(errors="replace").splitlines() if not _PROGRESS_LINE.match(line)]
    return "\n".join(said[-lines:])
