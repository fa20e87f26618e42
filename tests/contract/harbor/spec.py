"""`cluster.harbor` of a stack file."""

from stacks.clouds.pools import AcceleratorPool
from stacks.schema import NonEmpty, Section


class Harbor(Section):
    """A cluster in a region of Harbor, with its network."""

    region: NonEmpty
    accelerator_pool: AcceleratorPool = AcceleratorPool()
    delete_in_use: bool = False
