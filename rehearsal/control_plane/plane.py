"""A real Kubernetes control plane with simulated nodes, in one directory and on 127.0.0.1.

Owns starting, looking at and stopping etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok through
kwokctl, and the environment that kubectl, helm and pulumi need to use them. Nodes are created by others: kwok looks
after every node with the annotation `kwok.x-k8s.io/node: fake`, and makes the pods on it Running and Ready at once.

`kwokctl delete` is not used: it kills the numbers in its pid files, which after a restart of the machine are somebody
else's processes.
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
"""3–4 s on two idle cores, 14 s on 0.4 of one core: after this it is not slow but stuck."""
BIND_ATTEMPTS = 5
"""A port that was free can be taken before a component binds it; that again and again is no accident."""
POLL_SECONDS = 0.1
REQUEST_SECONDS = 2.0
# kube-apiserver and etcd: without them there is no cluster; without one of the others there is a broken one.
ESSENTIAL = ("etcd", "kube-apiserver")


class _PortTaken(Exception):
    """A component could not bind its port."""


@dataclass(frozen=True)
class ControlPlane:
    """A control plane that was started in `workdir` and may still run there."""

    name: str
    workdir: Path
    ports: Mapping[str, int]

    @classmethod
    def start(cls, name: str, workdir: Path, toolchain: Toolchain, report: Report) -> "ControlPlane":
        """Start one in `workdir` and wait until it serves requests and its namespaces have their ServiceAccount.

        Whatever goes wrong, Ctrl-C included, no process is left. RehearsalError when a component ends or nothing is
        ready within START_SECONDS, with the end of the log that tells why.
        """
        workdir = workdir.resolve()
        with report.step(f"control plane of rehearsal {name}"):
            processes.end(workdir)  # what is left of one that broke
            _record(workdir).unlink(missing_ok=True)  # it said that one got ready here
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
                    report.info(f"a port of {taken} was taken meanwhile: again with other ports")
                except BaseException:
                    processes.end(workdir)
                    raise

    @classmethod
    def from_workdir(cls, workdir: Path) -> "ControlPlane | None":
        """The control plane that was started in `workdir`; None when none ever got ready there. It may be dead."""
        workdir = workdir.resolve()
        try:
            said = json.loads(_record(workdir).read_text())
        except (FileNotFoundError, ValueError):  # never ready, or torn by a power cut
            return None
        return cls(said["name"], workdir, said["ports"])

    @property
    def kubeconfig(self) -> Path:
        """Its only context, also the current one, is `context`. Holds its credentials, so it can be copied."""
        return self.workdir / "kubeconfig"

    @property
    def context(self) -> str:
        return kwokctl.CONTEXT

    def healthy(self) -> bool:
        """Whether every component runs and the API server calls itself ready, asked within seconds."""
        return running(self.workdir) == set(kwokctl.COMPONENTS) and self._answers("/readyz")

    def stop(self) -> None:
        """End it, and whatever else runs from its directory, and delete its data.

        Fine to call twice, and on one that is dead. RehearsalError when a process will not die.
        """
        processes.end(self.workdir)
        shutil.rmtree(kwokctl.home(self.workdir), ignore_errors=True)
        self.kubeconfig.unlink(missing_ok=True)
        _record(self.workdir).unlink(missing_ok=True)

    def environment(self) -> dict[str, str]:
        """Variables to lay over a process's own, so that kubectl, helm and pulumi meet this control plane.

        Their caches of what kinds exist lie inside the rehearsal: one that outlives its cluster makes a kind that was
        created again unknown for minutes.
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
                [*command, "--kubeconfig", ""],  # empty: the user's own kubeconfig is left alone
                env=kwokctl.environment(self.workdir, bin_dir),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is ours to deal with
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
        """Whether a GET as administrator is answered with 200. No client library: that takes longer than the answer."""
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
            f"the control plane of rehearsal {self.name} did not start",
            why,
            f"see the end of {log} below, and try again",
            tail(log, 15),
        )


def running(workdir: Path) -> set[str]:
    """The components of the control plane in `workdir` that run now, whoever started them."""
    pids = {process.pid for process in processes.belonging_to(workdir.resolve())}
    return {component for component, pid in _pids(workdir.resolve()) if pid in pids}


def alive(workdir: Path) -> bool:
    """Whether a cluster that got ready in `workdir` still runs, be it broken.

    A matter of processes: a busy machine may not answer. Of processes alone it cannot be: kwokctl goes on starting them
    after whoever started it was killed.
    """
    return ControlPlane.from_workdir(workdir) is not None and running(workdir).issuperset(ESSENTIAL)


def _ended(workdir: Path) -> list[str]:
    """Components that were started and do not run, in the order in which one pulls down the next."""
    # Read before looking at the processes: the other way round, one that starts in between would seem to have ended.
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
    """The tools under their usual names: for PATH, and so that a command line tells which rehearsal it belongs to."""
    bin_dir.mkdir(parents=True, exist_ok=True)
    # The CLI warns of every plugin it finds on PATH.
    for tool in (tool for name, tool in toolchain.items() if name != PROVIDER):
        link = bin_dir / tool.name
        link.unlink(missing_ok=True)
        link.symlink_to(tool.path)
