"""Write results/<run>/compare.html: another run's results beside those here."""

import argparse
import sys
from pathlib import Path

from intriguing.errors import InputError
from intriguing.workflow.compare import write_comparison

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="intriguing.workflow.compare")
    parser.add_argument("--base", default="HEAD", help="commit, or a folder of results")
    parser.add_argument("--run", default="paper", help="results/RUN, or its folder")
    arguments = parser.parse_args()
    try:
        print(write_comparison(Path.cwd(), arguments.base, arguments.run))
    except InputError as error:
        sys.exit(str(error))
