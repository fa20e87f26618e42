from pathlib import Path

from stacks.exits import end_quietly_on_interrupt

end_quietly_on_interrupt()

from stacks.program import main  # noqa: E402 - the handler comes before the imports that take time

main(Path(__file__).parent)
