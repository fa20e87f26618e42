import sys
from pathlib import Path

import pulumi

from stacks.exits import SHOWN, end_quietly_on_interrupt, missing_package

end_quietly_on_interrupt()

try:
    from stacks.program import main  # after the handler: this takes time

    main(Path(__file__).parent)
except ModuleNotFoundError as error:
    pulumi.log.error(missing_package(error))
    sys.exit(SHOWN)
