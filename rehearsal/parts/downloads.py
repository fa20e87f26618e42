"""Official releases of the tools: where they are, whether their host can be reached, and fetching them.

Owns the addresses. Kept thin: a plain file or one member of an archive, checked against the checksum its publisher
keeps beside it. kwokctl could fetch the control plane by itself, but into a place that only it knows; fetched here,
every tool is in one cache and the next rehearsal needs no network.
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
import urllib.error
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
    """A text with the SHA-256 of the file; none is known for kwok and Pulumi's plugins, for which only TLS vouches."""

    def filled(self, version: str) -> "Source":
        system, arch = goos_goarch()
        values = {"version": version, "os": system, "arch": arch}
        return Source(*(part.format(**values) for part in (self.url, self.member, self.checksums)))

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


def _kubernetes(binary: str) -> Source:
    url = f"https://dl.k8s.io/release/v{{version}}/bin/{{os}}/{{arch}}/{binary}"
    return Source(url, checksums=f"{url}.sha256")


def _kwok(binary: str) -> Source:
    return Source(f"https://github.com/kubernetes-sigs/kwok/releases/download/v{{version}}/{binary}-{{os}}-{{arch}}")


_ETCD = "https://github.com/etcd-io/etcd/releases/download/v{version}"
SOURCES: dict[str, Source] = {
    "etcd": Source(
        f"{_ETCD}/etcd-v{{version}}-{{os}}-{{arch}}.tar.gz",
        member="etcd-v{version}-{os}-{arch}/etcd",
        checksums=f"{_ETCD}/SHA256SUMS",
    ),
    "kube-apiserver": _kubernetes("kube-apiserver"),
    "kube-controller-manager": _kubernetes("kube-controller-manager"),
    "kube-scheduler": _kubernetes("kube-scheduler"),
    "kubectl": _kubernetes("kubectl"),
    "kwok": _kwok("kwok"),
    "kwokctl": _kwok("kwokctl"),
    "helm": Source(
        "https://get.helm.sh/helm-v{version}-{os}-{arch}.tar.gz",
        member="{os}-{arch}/helm",
        checksums="https://get.helm.sh/helm-v{version}-{os}-{arch}.tar.gz.sha256sum",
    ),
    "pulumi-resource-kubernetes": Source(
        "https://get.pulumi.com/releases/plugins/pulumi-resource-kubernetes-v{version}-{os}-{arch}.tar.gz",
        member="pulumi-resource-kubernetes",
    ),
    # Only probed: the installer it names is run by Pulumi's own automation package.
    "pulumi": Source("https://get.pulumi.com/install.sh"),
}


def directory(tool: str, version: str) -> Path:
    """Where the download of a tool lies; for Pulumi, whose installer adds a `bin`, that `bin`."""
    place = cache_dir() / "official" / f"{tool}-{version}"
    return place / "bin" if tool == "pulumi" else place


def probe(url: str) -> bool:
    """One HEAD request; only a success counts: a filter that answers 403 for a host does not let its files through."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PROBE_SECONDS):
            return True
    except (OSError, ValueError):  # refused, unresolved, timed out, a bad certificate, an error status, a bad proxy
        return False


def reachable(sources: Iterable[Source], probe: Probe = probe) -> set[str]:
    """The hosts of `sources` that answer, each asked once and all at the same time, within `PROBE_SECONDS` in total.

    A host that refuses is not asked again. In daemon threads: nothing bounds a look-up in a DNS that never answers.
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
    """Put the official release into `directory(tool, version)`, complete or not at all. RehearsalError on any failure."""
    try:
        if tool == "pulumi":
            _install_pulumi(version)
        else:
            _fetch(SOURCES[tool].filled(version), directory(tool, version) / tool)
    except (OSError, tarfile.TarError, KeyError, ValueError, subprocess.CalledProcessError) as error:
        raise RehearsalError(
            f"the official {tool} {version} could not be downloaded",
            str(error) or type(error).__name__,
            "look at the network, or put the tool on PATH",
        ) from error


def _fetch(source: Source, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".download-") as temporary:
        downloaded = Path(temporary) / "downloaded"
        digest = _download(source.url, downloaded)
        if source.checksums and digest != (expected := _published_digest(source)):
            raise ValueError(f"{source.url} has SHA-256 {digest}, its publisher says {expected}")
        binary = downloaded
        if source.member:
            binary = Path(temporary) / "member"
            with tarfile.open(downloaded) as archive, binary.open("wb") as out:
                if (member := archive.extractfile(source.member)) is None:
                    raise KeyError(f"{source.member} in {source.url} is not a file")
                shutil.copyfileobj(member, out)
        binary.chmod(0o755)
        binary.rename(target)


def _download(url: str, to: Path) -> str:
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=READ_SECONDS) as response, to.open("wb") as out:
        while chunk := response.read(1 << 20):
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()


def _published_digest(source: Source) -> str:
    """From a bare digest, or from lines of `<digest>  <file>`."""
    with urllib.request.urlopen(source.checksums, timeout=READ_SECONDS) as response:
        text = response.read().decode()
    name = re.escape(os.path.basename(urlsplit(source.url).path))
    match = re.search(rf"^([0-9a-f]{{64}})(?:\s+\*?{name})?\s*$", text, re.MULTILINE)
    if match is None:
        raise ValueError(f"{source.checksums} has no SHA-256 for {source.url}")
    return match[1]


def _install_pulumi(version: str) -> None:
    # Imported here: the automation package takes most of a second, and only this rare path needs it.
    from pulumi.automation import PulumiCommand
    from pulumi.automation.errors import InvalidVersionError
    from semver import VersionInfo

    root = directory("pulumi", version).parent
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent, prefix=".download-") as temporary:
        try:
            PulumiCommand.install(root=f"{temporary}/pulumi", version=VersionInfo.parse(version))
        except InvalidVersionError as error:
            raise ValueError(str(error)) from error
        shutil.rmtree(root, ignore_errors=True)
        Path(temporary, "pulumi").rename(root)
