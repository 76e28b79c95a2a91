"""Write results/<run>/compare.html: another commit's results beside those here."""

import argparse
import sys
from pathlib import Path

from intriguing.errors import InputError
from intriguing.workflow.compare.comparison import write_comparison

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="intriguing.workflow.compare")
    parser.add_argument("--base", default="HEAD", help="commit, branch or tag")
    parser.add_argument("--run", default="paper", help="results/<run>")
    arguments = parser.parse_args()
    try:
        print(write_comparison(Path.cwd(), arguments.base, arguments.run))
    except InputError as error:
        sys.exit(str(error))
