"""What is to be pointed out of a stack on CoreWeave and is no mistake.

Of nodes that a stack makes there is nothing: its pods are kept on one fabric
(`stacks.clouds.coreweave.pools.same_fabric`). Of a cluster that
it makes there is the version. That the model is kept in memory (a cache on a node's path) no stack file can say.
"""

from collections.abc import Iterator

from stacks.clouds.coreweave.pools import FABRIC, WITHIN_A_FABRIC
from stacks.clouds.coreweave.rules import HERE, _cks
from stacks.clouds.coreweave.versions import OFFERED, parse, text
from stacks.clouds.coreweave.versions import SOURCE as VERSIONS
from stacks.rules.examined import Examined
from stacks.rules.facts import Finding, Rule


def _across_fabrics(subject: Examined) -> Iterator[Finding]:
    """CW-05: on nodes that are there pods are as upstream has them, which keeps them on no fabric."""
    spec, served = subject.spec, subject.served
    if spec.serving is None or served is None or not served.hardware.fabric.rdma:
        return
    if subject.machine.provider == "coreweave" and not WITHIN_A_FABRIC & {*spec.served.node_selector}:
        what = "nothing keeps prefill and decode on one InfiniBand fabric"
        why = "of nodes that are there it is not known how many they are on, and KV cache does not cross fabrics"
        fix = f"select one under `serving`, as `nodeSelector: {{{FABRIC}: …}}`, or let the stack make the nodes"
        yield Finding("serving.nodeSelector", what, why, f"{fix} (`provider: coreweave`)")


def _unlisted_version(subject: Examined) -> Iterator[Finding]:
    """CW-11: a new cluster of a version that the newest known list does not have. One that is too old is refused by the rule."""
    cluster = subject.spec.cluster
    if cluster.is_new and (cks := _cks(subject)) and parse(cks.version) not in OFFERED:
        what = f"{cks.version} is not on the list of versions for new clusters that is known here"
        why = f"that has {', '.join(map(text, OFFERED))}, and CoreWeave would refuse another after the VPC is made"
        yield Finding(f"{HERE}.version", what, why, f"look it up at {VERSIONS}")


OF_CLUSTERS: tuple[Rule[Examined], ...] = (Rule("CW-11", VERSIONS, _unlisted_version),)
OF_NODES_THERE: tuple[Rule[Examined], ...] = (Rule("CW-05", "docs.coreweave.com/platform/instances", _across_fabrics),)
