"""The command ``intriguing``: the library's calls for a picture or a file of weights.

`classifiers` loads networks, `pictures` reads pictures, and every command has a module
of its own, which `commands` names here.
"""

import sys

import click

from intriguing import __version__
from intriguing.cli.attack import attack
from intriguing.cli.certify import certify
from intriguing.cli.norms import norms
from intriguing.errors import InputError

EXAMPLES = """\b
intriguing attack cat.jpg --model torchvision:squeezenet1_1
intriguing norms torchvision:squeezenet1_1
"""


@click.group(epilog=EXAMPLES)
@click.version_option(__version__)
def commands() -> None:
    """Find adversarial images, and bound the Lipschitz constants of networks.

    A command says more with --help.
    """


commands.add_command(attack)
commands.add_command(certify)
commands.add_command(norms)


def main() -> None:
    """Run the command line; errors take a line, with exit status 1, or 2 for usage."""
    try:
        commands(prog_name="intriguing")
    except (InputError, OSError) as error:
        sys.exit(f"intriguing: {' '.join(str(error).split())}")
