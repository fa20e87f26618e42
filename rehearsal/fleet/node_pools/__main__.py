"""The process of the NodePool controller: `python -m rehearsal.fleet.node_pools --kubeconfig=FILE --context=NAME
[--fault=FAULT]`."""

import argparse
from pathlib import Path

from rehearsal.control_plane.resident import serve, tell
from rehearsal.fleet.node_pools import FAULTS
from rehearsal.fleet.node_pools.controller import Controller
from stacks.kube.api import Api


def main() -> None:
    """Looks until the rehearsal is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--context", required=True)
    parser.add_argument("--fault", choices=FAULTS)
    parser.add_argument("--log-file", help="where the output goes; for whoever lists processes")
    options = parser.parse_args()
    tell(f"serving{f', with fault {options.fault}' if options.fault else ''}")
    serve(Path(options.kubeconfig), Controller(Api(options.kubeconfig, options.context), options.fault).look)


if __name__ == "__main__":
    main()
