"""Engines that go on while pods of the other role are replaced: public reports, and what was read in their packages.

Prefill and decode pods keep what NIXL told them of each other. As of 2026-12-01; `docs/operate.md` has the same with links.
"""

import re
from collections.abc import Mapping

from hardware.render.images import ImageRef
from hardware.vocabulary import Build, Role

TITLES: Mapping[str, str] = {"vllm": "vLLM", "sglang": "SGLang"}

#: What may happen to the pods of the other role, by what moves KV cache and the role that is replaced. Of the TPU's connectors
#: there is no report.
REPORTS: Mapping[str, Mapping[Role, str]] = {
    "NixlConnector": {
        "prefill": "decode pods may crash when they meet the new ones (vllm#49238: vLLM 0.25 with NIXL 1.3.1)",
        "decode": "prefill pods may keep the state of the old ones, and every request through them fails while all pods are "
        "Ready (smg#2382; vllm#49238: vLLM 0.26 with NIXL 1.3.2)",
    },
    "sglang": {
        "prefill": "decode pods may go on asking an old one whose address is used again (sglang#36029)",
        "decode": "prefill pods may crash when they meet the new ones (smg#2503: SGLang 0.5.18 with NIXL 1.3.0)",
    },
}

#: What is known of a version by itself. Read in the packages: vLLM's `remove_remote_agent` is called in `shutdown` only, and
#: SGLang's never; SGLang's decode has a heartbeat. vLLM 0.19.1 was tried too: two servers on CPU with NIXL 1.5.1.
VERSIONS: Mapping[tuple[str, str], str] = {
    ("vllm", "0.19.1"): "keeps peers that are gone, and its engine ended when it was sent to one (tried on CPU)",
    ("vllm", "0.23.0"): "keeps peers that are gone (a pair of pods that could not exchange any more: vllm#55471)",
    ("vllm", "0.25.0"): "is a version of that report",
    ("vllm", "0.25.1"): "is a version of that report",
    ("sglang", "0.5.8.post1"): "drops prefill pods that do not answer, and keeps decode pods that are gone",
    ("sglang", "0.5.13.post1"): "drops prefill pods that do not answer, and keeps decode pods that are gone",
}
UNKNOWN = "is in no report, and not known to be free of this"

#: The images whose tags are the engine's version, by the last part of their paths.
_IMAGES = {"vllm-openai": "vllm", "vllm": "vllm", "sglang": "sglang"}
_VERSION = re.compile(r"v?(\d+\.\d+\.\d+(?:\.post\d+)?)")


def connector(build: Build) -> str:
    """What moves the KV cache of a build: a connector of vLLM's, else the engine itself."""
    return build.kv.config.get("kv_connector", build.engine.key)


def engine_version(image: str) -> str | None:
    """The version of the engine in an image, by its tag; None where the tag is not the engine's version."""
    ref = ImageRef.parse(image)
    found = _VERSION.match(ref.tag) if ref.base in _IMAGES else None
    return found[1] if found else None


def known_of(build: Build, image: str) -> str:
    """A clause about the engine in this image."""
    title, version = TITLES[build.engine.key], engine_version(image)
    if version is None:
        return f"which version of {title} is in {image} is not known"
    return f"{title} {version} {VERSIONS.get((build.engine.key, version), UNKNOWN)}"
