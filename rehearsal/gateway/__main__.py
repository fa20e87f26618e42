"""The process of the gateway controller: `python -m rehearsal.gateway --kubeconfig=FILE --context=NAME [--class=NAME …]`."""

import argparse
from pathlib import Path

from rehearsal.control_plane.resident import serve, tell
from rehearsal.gateway.addresses import Addresses
from rehearsal.gateway.controller import Controller
from stacks.kube.api import Api


def main() -> None:
    """Looks until the rehearsal is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--context", required=True)
    parser.add_argument("--class", dest="classes", action="append", default=[])
    parser.add_argument("--log-file", help="where the output goes; for whoever lists processes")
    options = parser.parse_args()
    controller = Controller(Api(options.kubeconfig, options.context), options.classes, Addresses(), tell)
    tell(f"serving, with GatewayClasses {', '.join(options.classes) or 'of others'}")
    serve(Path(options.kubeconfig), controller.look)


if __name__ == "__main__":
    main()
