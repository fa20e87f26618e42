"""The scheduler's messages about pods that it cannot place, in plain words.

Owns the phrases; `verdict` finds the pending pods.
"""

import re

#: The scheduler's words and plain ones. The first match wins; `{…}` are the pattern's groups.
PLAIN_WORDS: tuple[tuple[str, str], ...] = (
    (r"Insufficient (?P<resource>[\w./-]*\w)", "the node has too little {resource} left (or none at all)"),
    (r"didn't match Pod's node affinity/selector", "the node's labels are not those the pod selects"),
    (r"cannot allocate all claims", "the node has no devices that satisfy the pod's claims"),
    (
        r"had untolerated taint\(?s?\)? \{(?P<taint>[^}]*)\}",
        "the node has the taint {taint}, which the pod does not tolerate",
    ),
    (r"had untolerated taint", "the node has a taint that the pod does not tolerate"),
    (r"Too many pods", "the node runs as many pods as it may"),
    (r"were unschedulable", "the node is cordoned"),
    (r"device class (?P<name>\S+) does not exist", "DeviceClass {name} is not installed: its driver is missing"),
    (r"persistentvolumeclaim \"?(?P<name>[^\" ]+)\"? not found", "volume claim {name} does not exist"),
    (r"unbound immediate PersistentVolumeClaims", "a volume claim has no volume yet"),
    (r"no nodes available", "the cluster has no nodes"),
)
# "0/3 nodes are available: 1 Insufficient cpu, 2 …. still not schedulable, preemption: 0/3 nodes are available: …"
_SENTENCE = re.compile(r"0/(?P<nodes>\d+) nodes are available: (?P<groups>.*)", re.DOTALL)
_AFTERTHOUGHT = re.compile(r"\.\s+(?:preemption:|no new claims|still not).*", re.DOTALL)


def said(message: str) -> str:
    """Returns the scheduler's message without the part about preempting other pods."""
    return _AFTERTHOUGHT.sub("", message).strip().rstrip(".")


def plain_words(message: str) -> str:
    """Returns the scheduler's message as a sentence. A reason that holds on every node hides those of single nodes."""
    sentence = _SENTENCE.match(said(message))
    if sentence is None:
        return _words(said(message)) or "the scheduler has not said why yet"
    nodes = int(sentence["nodes"])
    counted: list[tuple[int, str]] = []
    for group in re.split(r",\s+(?=\d+ )", sentence["groups"]):
        count, _, text = group.partition(" ")
        counted.append((int(count), _words(text)) if count.isdigit() else (nodes, _words(group)))
    everywhere = [row for row in counted if row[0] == nodes]
    ranked = everywhere or sorted(counted, key=lambda row: -row[0])
    return "; ".join(f"{_where(count, nodes)}{words}" for count, words in ranked)


def _where(count: int, nodes: int) -> str:
    if count < nodes:
        return f"on {count} of {nodes} nodes, "
    return f"on all {nodes} nodes, " if nodes > 1 else ""


def _words(text: str) -> str:
    for pattern, words in PLAIN_WORDS:
        if found := re.search(pattern, text):
            return words.format(**found.groupdict())
    return text
