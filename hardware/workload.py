"""A workload: accelerator x build x fabric x sizing x model under one bill of versions, everything resolved.

It is what the renderer reads. How a stack file becomes one is `stacks.workload`'s business.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hardware.accelerators import ACCELERATORS
from hardware.bill import Bill, BuildKey
from hardware.vocabulary import EMPTY, Accelerator, Build, Fabric, Fragment, Role, Sizing


class UnknownChoiceError(LookupError):
    """A key that is not in its table; the message names those that are."""

    def __init__(self, what: str, key: str, known: Iterable[str], where: str = "") -> None:
        self.what, self.key, self.known = what, key, tuple(known)
        super().__init__(f"{what} {key!r} does not exist{where}; known: {', '.join(self.known)}")


@dataclass(frozen=True)
class Hardware:
    """One possible combination of accelerator, build and fabric."""

    accelerator: Accelerator
    build: Build
    fabric: Fabric


def hardware(accelerator: str, engine: str, fabric: str) -> Hardware:
    """Looks a combination up, by the keys a stack file uses.

    Raises:
        UnknownChoiceError: the accelerator is unknown, or it has no such build or fabric.
    """
    found = ACCELERATORS.get(accelerator)
    if found is None:
        raise UnknownChoiceError("accelerator", accelerator, ACCELERATORS)
    build = found.build(engine)
    if build is None:
        raise UnknownChoiceError("engine", engine, found.engines, f" for accelerator {accelerator!r}")
    if fabric not in found.fabrics:
        raise UnknownChoiceError("fabric", fabric, found.fabrics, f" for accelerator {accelerator!r}")
    return Hardware(found, build, found.fabrics[fabric])


@dataclass(frozen=True)
class Workload:
    """Everything the renderer needs to know. `name` is the guide label and the stem of every object's name.

    `extra_args` go to the end of the engine's command line, `drop_args` are flags (`--flag`) left out of it; `env` may
    override, `spec` is joined to the pod's and may not contradict it.
    """

    name: str
    hardware: Hardware
    sizing: Mapping[Role, Sizing]
    model: str
    bill: Bill
    extra_args: tuple[str, ...] = ()
    drop_args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    spec: Fragment = field(default_factory=lambda: EMPTY)

    @property
    def stem(self) -> str:
        """What the names of all its objects begin with."""
        return f"{self.name}-{self.hardware.accelerator.naming.slug}-{self.hardware.build.engine.key}"

    @property
    def image(self) -> str:
        """The model server's image: the bill's where it names one for this build, else the build's own."""
        return self.bill.images.get(self.build_key, self.hardware.build.image)

    @property
    def build_key(self) -> BuildKey:
        """The keys of accelerator and engine, by which a bill knows a build."""
        return self.hardware.accelerator.key, self.hardware.build.engine.key

    @property
    def labels(self) -> dict[str, str]:
        """The labels every object carries; a role's objects carry ROLE_LABEL beside them."""
        naming = self.hardware.accelerator.naming
        return {
            self.bill.engine_label: self.hardware.build.engine.key,
            "llm-d.ai/accelerator-variant": naming.variant,
            "llm-d.ai/accelerator-vendor": naming.vendor,
            self.bill.guide_label: self.name,
            "llm-d.ai/model": self.model.rsplit("/", 1)[-1],
        }

    def deployment_name(self, role: Role) -> str:
        """The Deployment of one role."""
        return f"{self.stem}-{role}"

    def tensor_parallel(self, role: Role) -> int:
        """TP of one role: devices x shards per device, never stated."""
        return self.sizing[role].devices * self.hardware.accelerator.devices.shards_per_device
