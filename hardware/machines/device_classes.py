"""DeviceClasses: the names by which a DRA claim requests a device, and the installer of each on a real cluster.

Owns a class's selection as data, from which its CEL text and the matching in `hardware.fit` are made. Leaves out the selectors
of a claim.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceClass:
    """One class: the devices of `driver`, only those with the (attribute, value) of `only` where it is given."""

    name: str
    driver: str
    #: Its installer on a real cluster; in a rehearsal the rehearsal itself installs it.
    origin: str
    only: tuple[str, str | bool] | None = None

    @property
    def expression(self) -> str:
        """The class's selector as CEL."""
        by_driver = f"device.driver == '{self.driver}'"
        if self.only is None:
            return by_driver
        attribute, value = self.only
        literal = str(value).lower() if isinstance(value, bool) else f"'{value}'"
        return f"{by_driver} && device.attributes['{self.driver}'].{attribute} == {literal}"

    def matches(self, driver: str, attributes: Mapping[str, object]) -> bool:
        """Returns whether the class selects a device. An attribute without a domain is in its driver's domain."""
        if driver != self.driver:
            return False
        if self.only is None:
            return True
        attribute, value = self.only
        return attributes.get(attribute, attributes.get(f"{driver}/{attribute}")) == value


_GKE = "GKE >=1.34.1-gke.1829001 (CEL text assumed)"
_INTEL = "intel-resource-drivers-for-kubernetes"

#: Never install mrdma.google.com or netdev.google.com on GKE: it brings its own.
DEVICE_CLASSES: Mapping[str, DeviceClass] = {
    device_class.name: device_class
    for device_class in (
        DeviceClass("gpu.nvidia.com", "gpu.nvidia.com", "helm nvidia-dra-driver-gpu", only=("type", "gpu")),
        DeviceClass("mrdma.google.com", "dra.net", _GKE, only=("rdma", True)),
        DeviceClass("netdev.google.com", "dra.net", _GKE, only=("rdma", False)),
        DeviceClass("gpu.intel.com", "gpu.intel.com", f"{_INTEL} (gpu)"),
        DeviceClass("gaudi.intel.com", "gaudi.intel.com", f"{_INTEL} (gaudi)"),
        DeviceClass(
            "rdma-dranet", "dra.net", "admin-created for DRANET; the overlay adds its own rdma == true selector"
        ),
    )
}
