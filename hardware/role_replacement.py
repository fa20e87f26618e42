"""Effects on running pods when all pods of the other role are replaced: public reports and findings in the engines' packages.

Prefill and decode pods cache NIXL's metadata of each other. As of 2026-12-01; `docs/operate.md` has the links.
"""

import re
from collections.abc import Mapping

from hardware.render.images import ImageRef
from hardware.vocabulary import Build, Role

TITLES: Mapping[str, str] = {"vllm": "vLLM", "sglang": "SGLang"}

#: Reported effects on the pods of the other role, by connector and replaced role. No report exists for the TPU's connectors.
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

#: Findings per engine version. Read in the packages: vLLM calls `remove_remote_agent` in `shutdown` only, SGLang never calls it;
#: SGLang's decode has a heartbeat. vLLM 0.19.1 was also tried: two servers on CPU with NIXL 1.5.1.
VERSIONS: Mapping[tuple[str, str], str] = {
    ("vllm", "0.19.1"): "keeps peers that are gone, and its engine ended when it was sent to one (tried on CPU)",
    ("vllm", "0.23.0"): "keeps peers that are gone (a pair of pods that could not exchange any more: vllm#55471)",
    ("vllm", "0.25.0"): "is a version of that report",
    ("vllm", "0.25.1"): "is a version of that report",
    ("sglang", "0.5.8.post1"): "drops prefill pods that do not answer, and keeps decode pods that are gone",
    ("sglang", "0.5.13.post1"): "drops prefill pods that do not answer, and keeps decode pods that are gone",
}
UNKNOWN = "is in no report, and not known to be free of this problem"

#: Engines by the last part of an image's path, for images whose tag is the engine's version.
_IMAGES = {"vllm-openai": "vllm", "vllm": "vllm", "sglang": "sglang"}
_VERSION = re.compile(r"v?(\d+\.\d+\.\d+(?:\.post\d+)?)")


def connector(build: Build) -> str:
    """Returns the connector that moves a build's KV cache: vLLM's, or the engine's key if it has no connectors."""
    return build.kv.config.get("kv_connector", build.engine.key)


def engine_version(image: str) -> str | None:
    """Returns the engine's version from an image's tag; None if the tag is not the engine's version."""
    ref = ImageRef.parse(image)
    found = _VERSION.match(ref.tag) if ref.base in _IMAGES else None
    return found[1] if found else None


def known_of(build: Build, image: str) -> str:
    """Returns a clause with the findings about the engine in this image."""
    title, version = TITLES[build.engine.key], engine_version(image)
    if version is None:
        return f"which version of {title} is in {image} is not known"
    return f"{title} {version} {VERSIONS.get((build.engine.key, version), UNKNOWN)}"
