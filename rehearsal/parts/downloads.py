"""Official releases of the tools: their addresses, whether their hosts can be reached, and fetching them.

A plain file or one member of an archive, checked against the checksum that its publisher keeps beside it. kwokctl could fetch the
control plane itself, but checks no checksum and cannot fall back to a build (ADR 24).
"""

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rehearsal.errors import RehearsalError
from rehearsal.parts.platforms import goos_goarch
from releases.files import cache_dir

PROBE_SECONDS = 3.0
READ_SECONDS = 60.0
Probe = Callable[[str], bool]


@dataclass(frozen=True)
class Source:
    """An official release; `{version}`, `{os}` and `{arch}` are filled in."""

    url: str
    member: str = ""
    """The file inside the archive, for an archive."""
    checksums: str = ""
    """A text with the SHA-256 of the file; kwok and Pulumi's plugins publish none, so that only TLS vouches for them."""

    def filled(self, version: str) -> "Source":
        """Returns the release of a version for this machine."""
        system, arch = goos_goarch()
        values = {"version": version, "os": system, "arch": arch}
        return Source(*(part.format(**values) for part in (self.url, self.member, self.checksums)))

    @property
    def host(self) -> str:
        """The host that serves it."""
        return urlsplit(self.url).netloc


def _kubernetes(binary: str) -> Source:
    url = f"https://dl.k8s.io/release/v{{version}}/bin/{{os}}/{{arch}}/{binary}"
    return Source(url, checksums=f"{url}.sha256")


def _kwok(binary: str) -> Source:
    return Source(f"https://github.com/kubernetes-sigs/kwok/releases/download/v{{version}}/{binary}-{{os}}-{{arch}}")


_ETCD = "https://github.com/etcd-io/etcd/releases/download/v{version}"
_HELM = "https://get.helm.sh/helm-v{version}-{os}-{arch}.tar.gz"
SOURCES: dict[str, Source] = {
    "etcd": Source(
        f"{_ETCD}/etcd-v{{version}}-{{os}}-{{arch}}.tar.gz",
        member="etcd-v{version}-{os}-{arch}/etcd",
        checksums=f"{_ETCD}/SHA256SUMS",
    ),
    **{name: _kubernetes(name) for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")},
    **{name: _kwok(name) for name in ("kwok", "kwokctl")},
    "helm": Source(_HELM, member="{os}-{arch}/helm", checksums=f"{_HELM}.sha256sum"),
    "pulumi-resource-kubernetes": Source(
        "https://get.pulumi.com/releases/plugins/pulumi-resource-kubernetes-v{version}-{os}-{arch}.tar.gz",
        member="pulumi-resource-kubernetes",
    ),
    # Only probed: Pulumi's own automation package runs the installer.
    "pulumi": Source("https://get.pulumi.com/install.sh"),
}


def directory(tool: str, version: str) -> Path:
    """Returns the directory of a downloaded tool; for Pulumi, whose installer adds a `bin`, that `bin`."""
    place = cache_dir() / "official" / f"{tool}-{version}"
    return place / "bin" if tool == "pulumi" else place


def probe(url: str) -> bool:
    """Sends one HEAD request; only a success counts: a filter that answers 403 for a host does not let its files through."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PROBE_SECONDS):
            return True
    except (OSError, ValueError):  # refused, unresolved, timed out, a bad certificate, an error status, a bad proxy
        return False


def reachable(sources: Iterable[Source], probe: Probe = probe) -> set[str]:
    """Returns the hosts that answer, each asked once and all at the same time, within `PROBE_SECONDS` in total.

    In daemon threads: nothing bounds a look-up in a DNS that never answers.
    """
    urls = {source.host: source.url for source in sources}
    answered: set[str] = set()

    def ask(host: str, url: str) -> None:
        if probe(url):
            answered.add(host)

    threads = [threading.Thread(target=ask, args=pair, daemon=True) for pair in urls.items()]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + PROBE_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return set(answered)


def fetch(tool: str, version: str) -> None:
    """Puts the official release into `directory(tool, version)`, complete or not at all.

    Raises:
        RehearsalError: it cannot be downloaded, or is not what its checksum says.
    """
    root = directory(tool, version)
    root = root.parent if tool == "pulumi" else root
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root.parent, prefix=".download-") as temporary:
            fresh = Path(temporary, "fresh")
            if tool == "pulumi":
                _install_pulumi(version, fresh)
            else:
                _download(SOURCES[tool].filled(version), fresh / tool)
            if not (directory(tool, version) / tool).exists():  # another process can have been faster
                shutil.rmtree(root, ignore_errors=True)
                fresh.rename(root)
    except (OSError, tarfile.TarError, KeyError, ValueError, subprocess.CalledProcessError) as error:
        raise RehearsalError(
            f"the official {tool} {version} could not be downloaded",
            str(error) or type(error).__name__,
            "look at the network, or put the tool on PATH",
        ) from error


def _download(source: Source, target: Path) -> None:
    target.parent.mkdir()
    with tempfile.TemporaryFile() as downloaded, target.open("wb") as out:
        with urllib.request.urlopen(source.url, timeout=READ_SECONDS) as response:
            shutil.copyfileobj(response, downloaded)
        downloaded.seek(0)
        digest = hashlib.file_digest(downloaded, "sha256").hexdigest()
        if source.checksums and digest != (expected := _published_digest(source)):
            raise ValueError(f"{source.url} has SHA-256 {digest}, its publisher says {expected}")
        downloaded.seek(0)
        if not source.member:
            shutil.copyfileobj(downloaded, out)
        else:
            with tarfile.open(fileobj=downloaded) as archive:
                if (member := archive.extractfile(source.member)) is None:
                    raise KeyError(f"{source.member} in {source.url} is not a file")
                shutil.copyfileobj(member, out)
    target.chmod(0o755)


def _published_digest(source: Source) -> str:
    """Reads a bare digest, or lines of `<digest>  <file>`."""
    with urllib.request.urlopen(source.checksums, timeout=READ_SECONDS) as response:
        text = response.read().decode()
    name = re.escape(os.path.basename(urlsplit(source.url).path))
    match = re.search(rf"^([0-9a-f]{{64}})(?:\s+\*?{name})?\s*$", text, re.MULTILINE)
    if match is None:
        raise ValueError(f"{source.checksums} has no SHA-256 for {source.url}")
    return match[1]


def _install_pulumi(version: str, root: Path) -> None:
    # Imported here: the automation package takes most of a second, and only this rare path needs it.
    from pulumi.automation import PulumiCommand
    from pulumi.automation.errors import InvalidVersionError
    from semver import VersionInfo

    try:
        PulumiCommand.install(root=str(root), version=VersionInfo.parse(version))
    except InvalidVersionError as error:
        raise ValueError(str(error)) from error
