"""The process of the gateway controller: `python -m rehearsal.gateway --kubeconfig=FILE --context=NAME [--class=NAME …]`.

Ends with its rehearsal: when the kubeconfig is gone. A control plane that does not answer is waited for.
"""

import argparse
import time
import traceback
from datetime import datetime
from pathlib import Path

from rehearsal.gateway.addresses import Addresses
from rehearsal.gateway.controller import Controller
from stacks.kube_api import Api

LOOK_SECONDS = 0.3


def main() -> None:
    """Looks until the rehearsal is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--context", required=True)
    parser.add_argument("--class", dest="classes", action="append", default=[])
    parser.add_argument("--log-file", help="where the output goes; for whoever lists processes")
    options = parser.parse_args()
    controller = Controller(Api(options.kubeconfig, options.context), options.classes, Addresses(), _tell)
    _tell(f"serving, with GatewayClasses {', '.join(options.classes) or 'of others'}")
    trouble = ""
    while Path(options.kubeconfig).exists():
        trouble = _look(controller, trouble)
        time.sleep(LOOK_SECONDS)


def _look(controller: Controller, before: str) -> str:
    """One look; what kind of trouble there was, told unless it is that of `before`. The next look may go well."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        controller.look()
    except (ApiException, HTTPError, OSError) as error:
        # An API server that starts, stores that initialize, an object that has changed meanwhile.
        trouble, words = type(error).__name__, " ".join(str(error).split())
    except Exception as error:
        trouble, words = type(error).__name__, traceback.format_exc()
    else:
        if before:
            _tell("it goes well again")
        return ""
    if trouble != before:
        _tell(f"trying again until it goes well: {words}")
    return trouble


def _tell(text: str) -> None:
    print(f"{datetime.now().isoformat(timespec='milliseconds')} {text}", flush=True)


if __name__ == "__main__":
    main()
