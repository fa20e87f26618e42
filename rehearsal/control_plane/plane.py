"""A real Kubernetes control plane with simulated nodes, in one directory and on 127.0.0.1.

Owns starting, inspecting and stopping etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok through kwokctl, and
the environment in which kubectl, helm and pulumi use them. `rehearsal.fleet` creates the nodes: kwok looks after every node
with the annotation `kwok.x-k8s.io/node: fake` and makes the pods on it Running and Ready at once.

`kwokctl delete` is not used: it kills the process ids in its pid files, which belong to other processes after a restart of the
machine.
"""

import contextlib
import http.client
import json
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from rehearsal.control_plane import kwokctl, ports, processes
from rehearsal.control_plane.files import tail
from rehearsal.errors import RehearsalError
from rehearsal.parts.toolchain import PROVIDER, Toolchain
from rehearsal.report import Report

START_SECONDS = 120.0
"""A start takes 3–4 s on two idle cores and 14 s on 0.4 of one core: after this it is stuck, not slow."""
BIND_ATTEMPTS = 5
"""A free port can be taken before a component binds it; so often in a row there is another reason."""
POLL_SECONDS = 0.1
REQUEST_SECONDS = 2.0
# Without these two there is no cluster; without one of the others the cluster is broken.
ESSENTIAL = ("etcd", "kube-apiserver")


class _PortTaken(Exception):
    """A component could not bind its port."""


@dataclass(frozen=True)
class ControlPlane:
    """A control plane that was started in `workdir`; it can have ended since."""

    name: str
    workdir: Path
    ports: Mapping[str, int]

    @classmethod
    def start(cls, name: str, workdir: Path, toolchain: Toolchain, report: Report) -> "ControlPlane":
        """Starts one in `workdir` and waits until it serves requests and its namespaces have their ServiceAccount.

        On any error, Ctrl-C included, no process is left.

        Raises:
            RehearsalError: a component ended, or it was not ready within START_SECONDS; with the end of the log.
        """
        workdir = workdir.resolve()
        with report.step(f"control plane of rehearsal {name}"):
            processes.end(workdir)  # the rest of one that broke
            _record(workdir).unlink(missing_ok=True)  # the record of one that was ready here
            _link(toolchain, _bin_dir(workdir))
            attempt = 0
            while True:
                attempt += 1
                plane = cls(name, workdir, dict(zip(kwokctl.PORT_OPTIONS, _free_ports(), strict=True)))
                try:
                    plane._start()
                    return plane
                except _PortTaken as taken:
                    processes.end(workdir)
                    if attempt == BIND_ATTEMPTS:
                        raise plane._failure(str(taken), f"{attempt} times in a row a port of it was taken") from None
                    report.info(f"a port of {taken} was taken by another process: trying other ports")
                except BaseException:
                    processes.end(workdir)
                    raise

    @classmethod
    def from_workdir(cls, workdir: Path) -> "ControlPlane | None":
        """Returns the control plane that was started in `workdir`, running or not; None if none was ever ready there."""
        workdir = workdir.resolve()
        try:
            said = json.loads(_record(workdir).read_text())
        except (FileNotFoundError, ValueError):  # never ready, or cut off by a power failure
            return None
        return cls(said["name"], workdir, said["ports"])

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig. `context` is its only context and the current one. It contains the credentials, so it can be copied."""
        return self.workdir / "kubeconfig"

    @property
    def context(self) -> str:
        """The context of the kubeconfig."""
        return kwokctl.CONTEXT

    def healthy(self) -> bool:
        """Whether every component runs and the API server answers within seconds that it is ready."""
        return running(self.workdir) == set(kwokctl.COMPONENTS) and self._answers("/readyz")

    def stop(self) -> None:
        """Ends it and every process that runs from its directory, and deletes its data. It can be called again.

        Raises:
            RehearsalError: a process did not end.
        """
        processes.end(self.workdir)
        shutil.rmtree(kwokctl.home(self.workdir), ignore_errors=True)
        self.kubeconfig.unlink(missing_ok=True)
        _record(self.workdir).unlink(missing_ok=True)

    def environment(self) -> dict[str, str]:
        """Returns the variables to add to a process's own, so that kubectl, helm and pulumi reach this control plane.

        Their caches of the API's kinds lie inside the rehearsal: with a cache that outlives its cluster, a kind that was created
        again is unknown for minutes.
        """
        caches = self.workdir / "cache"
        no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1"]))
        return {
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(caches / "kube"),
            "HELM_CACHE_HOME": str(caches / "helm"),
            "HELM_CONFIG_HOME": str(self.workdir / "helm" / "config"),
            "HELM_DATA_HOME": str(self.workdir / "helm" / "data"),
            "PATH": os.pathsep.join([str(_bin_dir(self.workdir)), os.environ.get("PATH", os.defpath)]),
            # Python's HTTP clients would ask the proxy for 127.0.0.1, Go's would not.
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
        }

    def _start(self) -> None:
        shutil.rmtree(kwokctl.home(self.workdir), ignore_errors=True)
        kwokctl.home(self.workdir).mkdir()
        config = self.workdir / "kwokctl.yaml"
        bin_dir = _bin_dir(self.workdir)
        config.write_text(yaml.safe_dump(kwokctl.configuration(self.ports, bin_dir)))
        command = [str(bin_dir / "kwokctl"), "--config", str(config), "create", "cluster", "--name", kwokctl.CLUSTER]
        with self._log("kwokctl").open("w") as output:
            creating = subprocess.Popen(
                [*command, "--kubeconfig", ""],  # empty: the user's own kubeconfig is not changed
                env=kwokctl.environment(self.workdir, bin_dir),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is handled here
            )
        try:
            self._wait(creating)
        finally:
            if creating.poll() is None:
                creating.kill()
            creating.wait()
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(kwokctl.kubeconfig(self.workdir, self.ports["kubeApiserverPort"]))
        _record(self.workdir).write_text(json.dumps({"name": self.name, "ports": self.ports}))

    def _wait(self, creating: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (creating.poll() == 0 and self._ready()):
            if creating.returncode:
                raise self._failure("kwokctl", f"kwokctl ended with exit code {creating.returncode}")
            for component in _ended(self.workdir):
                if "address already in use" in self._log(component).read_text(errors="replace"):
                    raise _PortTaken(component)
                raise self._failure(component, f"{component} ended soon after it was started")
            if time.monotonic() >= deadline:
                raise self._failure("kube-apiserver", f"it was not ready within {START_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)

    def _ready(self) -> bool:
        # Pods are refused until the controller manager has made the ServiceAccount, a second after /readyz.
        return self._answers("/readyz") and self._answers("/api/v1/namespaces/default/serviceaccounts/default")

    def _answers(self, path: str) -> bool:
        """Whether a GET as administrator is answered with 200. No client library: its import takes longer than the answer."""
        pki = kwokctl.cluster_dir(self.workdir) / "pki"
        with contextlib.suppress(OSError, http.client.HTTPException):
            tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
            tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")
            connection = http.client.HTTPSConnection(
                ports.LOOPBACK, self.ports["kubeApiserverPort"], timeout=REQUEST_SECONDS, context=tls
            )
            with contextlib.closing(connection):
                connection.request("GET", path)
                return connection.getresponse().status == http.HTTPStatus.OK
        return False

    def _log(self, component: str) -> Path:
        if component == "kwokctl":
            return self.workdir / "kwokctl.log"
        return kwokctl.log_file(self.workdir, component)

    def _failure(self, component: str, why: str) -> RehearsalError:
        log = self._log(component)
        return RehearsalError(
            what=f"the control plane of rehearsal {self.name} did not start",
            why=why,
            fix=f"see the end of {log} below, and try again",
            details=tail(log, 15),
        )


def running(workdir: Path) -> set[str]:
    """Returns the components of the control plane in `workdir` that run now."""
    pids = {process.pid for process in processes.belonging_to(workdir.resolve())}
    return {component for component, pid in _pids(workdir.resolve()) if pid in pids}


def alive(workdir: Path) -> bool:
    """Whether a cluster that was ready in `workdir` still runs, broken or not.

    Processes decide, because an API server on a busy machine may not answer; but only after the cluster was ready once, because
    kwokctl goes on starting processes after its parent was killed.
    """
    return ControlPlane.from_workdir(workdir) is not None and running(workdir).issuperset(ESSENTIAL)


def _ended(workdir: Path) -> list[str]:
    """Returns the components that were started and do not run, in the order in which one makes the next end."""
    # Read before the processes are listed: in the other order, a component that starts in between would seem to have ended.
    started = [component for component, _ in _pids(workdir)]
    now = running(workdir)
    return [component for component in started if component not in now]


def _pids(workdir: Path) -> Iterator[tuple[str, int]]:
    for component in kwokctl.COMPONENTS:
        with contextlib.suppress(FileNotFoundError):
            if (pid := kwokctl.pid_file(workdir, component).read_text()).isdigit():
                yield component, int(pid)


def _free_ports() -> list[int]:
    return ports.free(len(kwokctl.PORT_OPTIONS))


def _record(workdir: Path) -> Path:
    return workdir / "control-plane.json"


def _bin_dir(workdir: Path) -> Path:
    return workdir / "bin"


def _link(toolchain: Toolchain, bin_dir: Path) -> None:
    """Links the tools under their usual names: for PATH, and so that a command line shows its rehearsal."""
    bin_dir.mkdir(parents=True, exist_ok=True)
    # The CLI warns of every plugin it finds on PATH.
    for tool in (tool for name, tool in toolchain.items() if name != PROVIDER):
        link = bin_dir / tool.name
        link.unlink(missing_ok=True)
        link.symlink_to(tool.path)
