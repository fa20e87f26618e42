"""The process of the NodePool controller: `python -m rehearsal.nodepools --kubeconfig=FILE --context=NAME [--fault=FAULT]`."""

import argparse
from pathlib import Path

from rehearsal.nodepools import FAULTS
from rehearsal.nodepools.controller import Controller
from rehearsal.resident import serve, tell
from stacks.kube_api import Api


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
