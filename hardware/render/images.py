"""Image references: what they consist of, and the same image in another registry.

Follows the distribution project's rules for short names, as every container runtime does: without a host it is Docker Hub's.
"""

from dataclasses import dataclass

DEFAULT_HOST = "docker.io"

#: Seconds an image pull may take. The largest image of the guide has ~20 GB, which is 27 minutes at 100 Mbit/s.
IMAGE_PULL_SECONDS = 30 * 60


@dataclass(frozen=True)
class ImageRef:
    """A reference in its parts. `tag` is the version as it is written: `v1`, `v1@sha256:…`, `@sha256:…` or nothing."""

    host: str
    path: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> "ImageRef":
        """Reads a reference: `vllm/vllm-openai:v1` is `docker.io/vllm/vllm-openai:v1`."""
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
        """Everything before the path's last part."""
        return f"{self.host}/{self.path}".rpartition("/")[0]

    @property
    def base(self) -> str:
        """The path's last part."""
        return self.path.rpartition("/")[2]


def mirrored(text: str, registry: str | None) -> str:
    """The same image in another registry, under its own path: `registry` takes the host's place. None leaves it alone."""
    if registry is None or is_in(text, registry):
        return text
    ref = ImageRef.parse(text)
    return str(ImageRef(registry.rstrip("/"), ref.path, ref.tag))


def has_host(registry: str) -> bool:
    """Whether a registry begins with a host; what lies under one that does not would be Docker Hub's."""
    host = registry.partition("/")[0]
    return ImageRef.parse(f"{host}/image").host == host


def is_in(text: str, registry: str) -> bool:
    """Whether an image comes from a registry."""
    return text.startswith(f"{registry.rstrip('/')}/")
