"""A workload: accelerator x build x fabric x sizing x model under one bill of versions, everything resolved.

It is what the renderer reads. How a stack file becomes one is `stacks.serving.workload`'s business.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hardware.accelerators import ACCELERATORS
from hardware.bill import Bill, BuildKey, FabricKey
from hardware.render.images import mirrored
from hardware.vocabulary import (
    EMPTY,
    MODEL_LABEL,
    Accelerator,
    Build,
    Devices,
    Fabric,
    Fragment,
    Role,
    SecretRef,
    Sizing,
)


class UnknownChoiceError(LookupError):
    """A key that is not in its table; the message names those that are."""

    def __init__(self, what: str, key: str, known: Iterable[str], where: str = "") -> None:
        self.what, self.key, self.known = what, key, tuple(known)
        super().__init__(f"{what} {key!r} does not exist{where}; known: {', '.join(self.known)}")


@dataclass(frozen=True)
class Hardware:
    """One possible combination of accelerator, build and fabric. A fabric's key is the accelerator's word for it."""

    accelerator: Accelerator
    build: Build
    fabric: Fabric
    fabric_key: str

    @property
    def key(self) -> FabricKey:
        """The keys of accelerator, engine and fabric, by which a bill knows the combination."""
        return self.accelerator.key, self.build.engine.key, self.fabric_key

    @property
    def devices(self) -> Devices:
        """How the silicon is handed out: the fabric's nodes may do it another way than the accelerator's usually do."""
        return self.fabric.devices or self.accelerator.devices

    @property
    def sizing(self) -> dict[Role, Sizing]:
        """The recipe's share of each role."""
        usual: dict[Role, Sizing] = {"prefill": self.accelerator.prefill, "decode": self.accelerator.decode}
        return {**usual, **self.build.sizing.get(self.fabric_key, {})}


def accelerators(bill: Bill) -> list[str]:
    """The keys of the accelerators a bill was tested with."""
    return [key for key in ACCELERATORS if bill.has(key)]


def fabrics(accelerator: Accelerator, bill: Bill) -> list[str]:
    """The keys of an accelerator's fabrics that a bill was tested with."""
    return [key for key in accelerator.fabrics if bill.has(accelerator.key, key)]


def hardware(accelerator: str, engine: str, fabric: str, bill: Bill) -> Hardware:
    """Looks a combination up in a bill, by the keys a stack file uses.

    Raises:
        UnknownChoiceError: the bill has no such accelerator, or that no such build or fabric.
    """
    where = f" in {bill.name}"
    if accelerator not in (known := accelerators(bill)):
        raise UnknownChoiceError("accelerator", accelerator, known, where)
    found = ACCELERATORS[accelerator]
    build = found.build(engine)
    if build is None:
        raise UnknownChoiceError("engine", engine, found.engines, f" for accelerator {accelerator!r}")
    if fabric not in (known := fabrics(found, bill)):
        raise UnknownChoiceError("fabric", fabric, known, f" for accelerator {accelerator!r}{where}")
    return Hardware(found, build, found.fabrics[fabric], fabric)


@dataclass(frozen=True)
class Workload:
    """Everything the renderer needs to know. `name` is the guide label and the stem of every object's name.

    `extra_args` go to the end of the engine's command line, `drop_args` are flags (`--flag`) left out of it; `env` may
    override, `spec` is joined to the pod's, `container` to the server's, and may not contradict it, `annotations` are the
    pods'. `hf_token` is where the variable HF_TOKEN comes from, in the place of the bill's own reference where that has
    one. `registry` takes the place of the host of every image.
    """

    name: str
    hardware: Hardware
    sizing: Mapping[Role, Sizing]
    model: str
    bill: Bill
    extra_args: tuple[str, ...] = ()
    drop_args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    hf_token: SecretRef | None = None
    registry: str | None = None
    spec: Fragment = field(default_factory=lambda: EMPTY)
    container: Fragment = field(default_factory=lambda: EMPTY)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """What the names of all its objects begin with."""
        return f"{self.name}-{self.hardware.accelerator.naming.slug}-{self.hardware.build.engine.key}"

    @property
    def image(self) -> str:
        """The model server's image: the bill's where it names one for this build, else the build's own."""
        return mirrored(self.bill.image(self.hardware.key) or self.hardware.build.image, self.registry)

    @property
    def sidecar_image(self) -> str:
        """The image of the routing proxy beside each decode server."""
        return mirrored(self.bill.sidecar.image, self.registry)

    @property
    def build_key(self) -> BuildKey:
        """The keys of accelerator and engine, by which a bill knows a build."""
        accelerator, engine, _ = self.hardware.key
        return accelerator, engine

    @property
    def labels(self) -> dict[str, str]:
        """The labels every object carries; a role's objects carry ROLE_LABEL beside them."""
        naming = self.hardware.accelerator.naming
        return {
            self.bill.engine_label: self.hardware.build.engine.key,
            "llm-d.ai/accelerator-variant": naming.variant,
            "llm-d.ai/accelerator-vendor": naming.vendor,
            self.bill.guide_label: self.name,
            MODEL_LABEL: self.model.rsplit("/", 1)[-1],
        }

    def deployment_name(self, role: Role) -> str:
        """The Deployment of one role."""
        return f"{self.stem}-{role}"

    def tensor_parallel(self, role: Role) -> int:
        """TP of one role: devices x shards per device, never stated."""
        return self.sizing[role].devices * self.hardware.devices.shards_per_device
