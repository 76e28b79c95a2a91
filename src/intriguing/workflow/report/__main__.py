"""Write results/<run>/report.html from what the run has made."""

import argparse
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from intriguing.errors import InputError
from intriguing.workflow.files import write_text
from intriguing.workflow.report.catalogue import parsed_workflow, results_of
from intriguing.workflow.report.page import report_page

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="intriguing.workflow.report")
    parser.add_argument(
        "--configfile", nargs="*", type=Path, default=[], help="as for snakemake"
    )
    try:
        workflow = parsed_workflow(parser.parse_args().configfile)
        results = Path(workflow.globals["RESULTS"])
        write_text(results / "report.html", report_page(results, results_of(workflow)))
        print(results / "report.html")
    except (InputError, OSError, WorkflowError) as error:
        sys.exit(str(error))
