from pathlib import Path

from stacks.exits import end_quietly_on_interrupt, refuse_without

end_quietly_on_interrupt()

try:  # after the handler: these imports take time
    from stacks.program import main
except ModuleNotFoundError as error:
    refuse_without(error)

main(Path(__file__).parent)
