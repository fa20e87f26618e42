"""A workload: accelerator x build x fabric x sizing x model under one bill of versions, all resolved.

The renderer reads it; `stacks.serving.workload` makes it from a stack file.
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
    """A key is not in its table; the message names the known keys."""

    def __init__(self, what: str, key: str, known: Iterable[str], where: str = "") -> None:
        self.what, self.key, self.known = what, key, tuple(known)
        super().__init__(f"{what} {key!r} does not exist{where}; known: {', '.join(self.known)}")


@dataclass(frozen=True)
class Hardware:
    """A possible combination of accelerator, build and fabric. `fabric_key` is the accelerator's name for the fabric."""

    accelerator: Accelerator
    build: Build
    fabric: Fabric
    fabric_key: str

    @property
    def key(self) -> FabricKey:
        """The keys of accelerator, engine and fabric, as in a bill."""
        return self.accelerator.key, self.build.engine.key, self.fabric_key

    @property
    def devices(self) -> Devices:
        """How devices are handed out: the fabric's way if it has its own, else the accelerator's."""
        return self.fabric.devices or self.accelerator.devices

    @property
    def sizing(self) -> dict[Role, Sizing]:
        """The default sizing of each role."""
        usual: dict[Role, Sizing] = {"prefill": self.accelerator.prefill, "decode": self.accelerator.decode}
        return {**usual, **self.build.sizing.get(self.fabric_key, {})}


def accelerators(bill: Bill) -> list[str]:
    """Returns the keys of the accelerators that a bill was tested with."""
    return [key for key in ACCELERATORS if bill.has(key)]


def fabrics(accelerator: Accelerator, bill: Bill) -> list[str]:
    """Returns the keys of an accelerator's fabrics that a bill was tested with."""
    return [key for key in accelerator.fabrics if bill.has(accelerator.key, key)]


def hardware(accelerator: str, engine: str, fabric: str, bill: Bill) -> Hardware:
    """Looks up a combination in a bill, by the keys of a stack file.

    Raises:
        UnknownChoiceError: the bill lacks the accelerator, or the accelerator lacks the build or the fabric.
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
    """All inputs of the renderer. `name` is the guide label and the start of every object's name.

    - `extra_args`: appended to the engine's command line. `drop_args`: flags (`--flag`) left out of it.
    - `env`: variables, which may override. `annotations`: of the pods.
    - `spec`, `container`: joined to the pod's spec and the server's container; two values for one field raise.
    - `hf_token`: the source of variable HF_TOKEN, in place of the bill's own reference.
    - `registry`: replaces the host of every image.
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
        """The start of the names of all its objects."""
        return f"{self.name}-{self.hardware.accelerator.naming.slug}-{self.hardware.build.engine.key}"

    @property
    def image(self) -> str:
        """The model server's image: the bill's for this build if it has one, else the build's own."""
        return mirrored(self.bill.image(self.hardware.key) or self.hardware.build.image, self.registry)

    @property
    def sidecar_image(self) -> str:
        """The image of the routing proxy beside each decode server."""
        return mirrored(self.bill.sidecar.image, self.registry)

    @property
    def build_key(self) -> BuildKey:
        """The keys of accelerator and engine, as in a bill."""
        accelerator, engine, _ = self.hardware.key
        return accelerator, engine

    @property
    def labels(self) -> dict[str, str]:
        """The labels of every object; a role's objects also have ROLE_LABEL."""
        naming = self.hardware.accelerator.naming
        return {
            self.bill.engine_label: self.hardware.build.engine.key,
            "llm-d.ai/accelerator-variant": naming.variant,
            "llm-d.ai/accelerator-vendor": naming.vendor,
            self.bill.guide_label: self.name,
            MODEL_LABEL: self.model.rsplit("/", 1)[-1],
        }

    def deployment_name(self, role: Role) -> str:
        """Returns the name of a role's Deployment."""
        return f"{self.stem}-{role}"

    def tensor_parallel(self, role: Role) -> int:
        """Returns the tensor-parallel size of a role: devices x shards per device."""
        return self.sizing[role].devices * self.hardware.devices.shards_per_device
