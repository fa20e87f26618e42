"""Image references: their parts, and an image's reference in a mirror.

Follows the distribution project's rules for short names, as container runtimes do: a reference without a host is Docker Hub's.
"""

from dataclasses import dataclass

DEFAULT_HOST = "docker.io"

#: Seconds an image pull may take. The largest image of the guide has ~20 GB, which is 27 minutes at 100 Mbit/s.
IMAGE_PULL_SECONDS = 30 * 60


@dataclass(frozen=True)
class ImageRef:
    """The parts of a reference. `tag` is the version as written: `v1`, `v1@sha256:…`, `@sha256:…` or ""."""

    host: str
    path: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> "ImageRef":
        """Parses a reference: `vllm/vllm-openai:v1` is `docker.io/vllm/vllm-openai:v1`."""
        name, at, digest = text.partition("@")
        place, slash, last = name.rpartition("/")
        base, _, version = last.partition(":")
        name = f"{place}{slash}{base}"
        host, slash, path = name.partition("/")
        if not slash or not ("." in host or ":" in host or host == "localhost"):
            host, path = DEFAULT_HOST, name if slash else f"library/{name}"
        return cls(host, path, f"{version}{at}{digest}")

    def __str__(self) -> str:
        joint = "" if not self.tag or self.tag.startswith("@") else ":"
        return f"{self.host}/{self.path}{joint}{self.tag}"

    @property
    def place(self) -> str:
        """The reference up to the last part of the path: `docker.io/vllm`."""
        return f"{self.host}/{self.path}".rpartition("/")[0]

    @property
    def base(self) -> str:
        """The last part of the path: `vllm-openai`."""
        return self.path.rpartition("/")[2]


def mirrored(text: str, registry: str | None) -> str:
    """Returns the image's reference in a registry, under the same path: `registry` replaces the host. None: unchanged."""
    if registry is None or is_in(text, registry):
        return text
    ref = ImageRef.parse(text)
    return str(ImageRef(registry.rstrip("/"), ref.path, ref.tag))


def has_host(registry: str) -> bool:
    """Returns whether a registry begins with a host; without one, its images would be Docker Hub's."""
    host = registry.partition("/")[0]
    return ImageRef.parse(f"{host}/image").host == host


def is_in(text: str, registry: str) -> bool:
    """Returns whether an image comes from a registry."""
    return text.startswith(f"{registry.rstrip('/')}/")
