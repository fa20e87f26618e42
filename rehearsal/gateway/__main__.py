"""The gateway controller's process: `python -m rehearsal.gateway --kubeconfig=FILE --context=NAME [--class=NAME …]`."""

import argparse
from pathlib import Path

from rehearsal.control_plane.resident import serve, tell
from rehearsal.gateway.controller import Controller
from stacks.kube.api import Api


def main() -> None:
    """Runs until the rehearsal's kubeconfig is deleted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--context", required=True)
    parser.add_argument("--class", dest="classes", action="append", default=[])
    parser.add_argument("--log-file", help="where the output goes, for readers of a process list")
    options = parser.parse_args()
    controller = Controller(Api(options.kubeconfig, options.context), options.classes, tell)
    tell(f"serving; creates GatewayClasses {', '.join(options.classes) or '(none)'}")
    serve(Path(options.kubeconfig), controller.reconcile)


if __name__ == "__main__":
    main()
